package harness

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// choices are the parts of a zone that a scenario builds on.
type choices struct {
	zone, vpcOffering, tierOffering, isolatedOffering, template, serviceOffering string
}

// Named are parts that the target's owner chose; empty ones are chosen by us.
type Named struct {
	Zone             string `yaml:"zone"`
	VPCOffering      string `yaml:"vpc_offering"`
	TierOffering     string `yaml:"tier_offering"`
	IsolatedOffering string `yaml:"isolated_offering"`
	Template         string `yaml:"template"`
	ServiceOffering  string `yaml:"service_offering"`
}

type listed struct {
	ID, Name, State, NetworkType, AllocationState, TemplateType, GuestIPType, ZoneID string
	IsReady                                                                          bool
	CPUNumber, CPUSpeed, Memory                                                      int
	IsCustomized, IsSystem                                                           bool
}

// pick takes the one that is named, else the first that fits.
func (t *T) pick(what, named string, all []listed, fits func(listed) bool) string {
	for _, one := range all {
		if named != "" && (one.Name == named || one.ID == named) || named == "" && fits(one) {
			return one.ID
		}
	}
	if named != "" {
		t.Inconclusive("the zone has no %s %q", what, named)
	}
	t.Inconclusive("the zone has no %s that fits", what)
	return ""
}

func (t *T) list(command, key string, p cloud.Params) []listed {
	var answer map[string]json.RawMessage
	var all []listed
	t.must(t.site.Cloud.Call(t.ctx, command, p, &answer), "%s", command)
	if len(answer[key]) > 0 {
		t.must(json.Unmarshal(answer[key], &all), "%s", command)
	}
	return all
}

// Names of CloudStack's built-in offerings (NetworkOffering.java, ConfigurationServerImpl.java@4.20.0.0).
const (
	defaultVPCOffering      = "Default VPC offering"
	defaultTierOffering     = "DefaultIsolatedNetworkOfferingForVpcNetworks"
	defaultIsolatedOffering = "DefaultIsolatedNetworkOfferingWithSourceNatService"
)

// choices chooses zone, offerings and template once per site.
func (t *T) choices() choices {
	if t.site.chosen != nil {
		return *t.site.chosen
	}
	n := t.site.Named
	isNamed := func(name string) func(listed) bool { return func(l listed) bool { return l.Name == name } }
	var c choices
	c.zone = t.pick("enabled advanced zone", n.Zone, t.list("listZones", "zone", nil), func(l listed) bool {
		return l.NetworkType == "Advanced" && l.AllocationState == "Enabled"
	})
	c.vpcOffering = t.pick("VPC offering", n.VPCOffering, t.list("listVPCOfferings", "vpcoffering", cloud.Params{"state": "Enabled"}), isNamed(defaultVPCOffering))
	c.tierOffering = t.pick("tier offering", n.TierOffering,
		t.list("listNetworkOfferings", "networkoffering", cloud.Params{"forvpc": "true", "state": "Enabled"}), isNamed(defaultTierOffering))
	c.isolatedOffering = t.pick("isolated network offering", n.IsolatedOffering,
		t.list("listNetworkOfferings", "networkoffering", cloud.Params{"forvpc": "false", "state": "Enabled"}), isNamed(defaultIsolatedOffering))
	c.template = t.pick("ready user template", n.Template,
		t.list("listTemplates", "template", cloud.Params{"templatefilter": "all", "zoneid": c.zone}), func(l listed) bool {
			return l.IsReady && l.TemplateType != "SYSTEM" && l.TemplateType != "ROUTING"
		})
	offerings := t.list("listServiceOfferings", "serviceoffering", nil)
	slices.SortStableFunc(offerings, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.CPUNumber*a.CPUSpeed, b.CPUNumber*b.CPUSpeed))
	})
	c.serviceOffering = t.pick("service offering", n.ServiceOffering, offerings, func(l listed) bool { return !l.IsCustomized && !l.IsSystem })
	t.site.chosen = &c
	return c
}
