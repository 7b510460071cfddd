package zone

// tenancyFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) tenancyFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"domain":  func(u string) bool { return z.domainByUUID(u) != nil },
		"account": func(u string) bool { return z.accountByUUID(u) != nil },
		"user":    func(u string) bool { return z.userByUUID(u) != nil },
	}
}

// netFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) netFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"zone":            func(u string) bool { return u == z.site.UUID && z.hasZone() },
		"vpc":             func(u string) bool { return z.vpcByUUID(u) != nil },
		"network":         func(u string) bool { return z.networkByUUID(u) != nil },
		"router":          func(u string) bool { return z.routerByUUID(u) != nil },
		"host":            func(u string) bool { return z.hostByUUID(u) != nil },
		"address":         func(u string) bool { return z.addressByUUID(u) != nil },
		"serviceoffering": func(u string) bool { return offeringByUUID(z.serviceOfferings, u) != nil },
		"networkoffering": func(u string) bool { return offeringByUUID(z.networkOfferings, u) != nil },
		"vpcoffering":     func(u string) bool { return offeringByUUID(z.vpcOfferings, u) != nil },
		"template":        func(u string) bool { return offeringByUUID(z.templates, u) != nil },
		"diskoffering":    func(u string) bool { return offeringByUUID(z.diskOfferings, u) != nil },
	}
}

// computeFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) computeFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"vm":     func(u string) bool { return z.vmByUUID(u) != nil },
		"volume": func(u string) bool { return z.volumeByUUID(u) != nil },
	}
}

// firewallFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) firewallFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"pfrule": func(u string) bool { return z.pfRuleByUUID(u) != nil },
		"fwrule": func(u string) bool { return z.fwRuleByUUID(u) != nil },
	}
}

// lbFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) lbFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"policy": func(u string) bool { _, p := z.policyByUUID(u); return p != nil },
		"lbrule": func(u string) bool { return z.lbRuleByUUID(u) != nil },
	}
}

// autoscaleFinders find the room's objects by what stands after "uuid:" in a parameter's type.
func (z *Zone) autoscaleFinders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"counter":      func(u string) bool { return z.counterByUUID(u) != nil },
		"condition":    func(u string) bool { return z.conditionByUUID(u) != nil },
		"scalepolicy":  func(u string) bool { return z.scalePolicyByUUID(u) != nil },
		"scaleprofile": func(u string) bool { return z.scaleProfileByUUID(u) != nil },
		"group":        func(u string) bool { return z.groupByUUID(u) != nil },
	}
}
