package net

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// offeringCreateCommands make and remove service and VPC offerings beside the built-in ones.
func offeringCreateCommands() []command {
	id := func(kind string) param {
		return param{Name: "id", Type: "uuid:" + kind, Required: true, About: "the ID of the offering"}
	}
	return []command{
		{
			Name: "createServiceOffering", About: "Creates a service offering.", Admin: true,
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "the name of the service offering"},
				{Name: "displaytext", Type: "string", About: "The display text of the service offering, defaults to " +
					"'name'."},
				{Name: "cpunumber", Type: "integer", About: "the CPU number of the service offering"},
				{Name: "cpuspeed", Type: "integer", About: "the CPU speed of the service offering in MHz"},
				{Name: "memory", Type: "integer", About: "the total memory of the service offering in MB"},
				{Name: "storagetype", Type: "string", About: "the storage type of the service offering: local or " +
					"shared"},
				{Name: "tags", Type: "string", About: "the tags for this service offering"},
				{Name: "hosttags", Type: "string", About: "the host tag for this service offering"},
			},
			Run: createServiceOffering,
		},
		{
			Name: "deleteServiceOffering", About: "Deletes a service offering.", Admin: true,
			Params: []param{id("serviceoffering")},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				o := OfferingByUUID(mgr.ServiceOfferings, c.Str("id"))
				o.Answer["state"] = "Inactive"
				return obj{"success": true}, nil
			},
		},
		{
			Name: "createVPCOffering", About: "Creates VPC offering", Admin: true,
			Class: kernel.AdminClasses + "vpc.CreateVPCOfferingCmd", Kind: kernel.AsyncCreate, Instance: "VpcOffering",
			Event: "VPC.OFFERING.CREATE", Eventful: kernel.EventCreateAsync, Action: "creating VPC offering",
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "the name of the vpc offering"},
				{Name: "displaytext", Type: "string", About: "the display text of the vpc offering, defaults to the " +
					"'name'"},
				{Name: "supportedservices", Type: "list", About: "services supported by the vpc offering"},
				{Name: "serviceproviderlist", Type: "map", About: "provider to service mapping"},
				{Name: "conservemode", Type: "boolean", With: release.VPCConserveMode, About: "True if the VPC " +
					"offering is IP conserve mode enabled, allowing public IP services to be used across multiple " +
					"VPC tiers. Default value is false"},
			},
			Create: createVPCOffering,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"vpcoffering": offeringAnswer(OfferingByUUID(mgr.VPCOfferings, c.Target.UUID))}, nil
			},
		},
		{
			Name: "updateVPCOffering", About: "Updates VPC offering", Admin: true,
			Class: kernel.AdminClasses + "vpc.UpdateVPCOfferingCmd", Kind: kernel.AsyncCommand, Instance: "VpcOffering",
			Event: "VPC.OFFERING.UPDATE", Eventful: kernel.EventAsync, Action: "updating VPC offering",
			Params: []param{id("vpcoffering"),
				{Name: "name", Type: "string", About: "the name of the VPC offering"},
				{Name: "displaytext", Type: "string", About: "the display text of the VPC offering"},
				{Name: "state", Type: "string", About: "update state for the VPC offering; supported states - " +
					"Enabled/Disabled"}},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				o := OfferingByUUID(mgr.VPCOfferings, c.Str("id"))
				if err := changeOfferingWords(c, o); err != nil {
					return nil, err
				}
				return obj{"vpcoffering": offeringAnswer(o)}, nil
			},
		},
		{
			Name: "deleteVPCOffering", About: "Deletes VPC offering", Admin: true,
			Class: kernel.AdminClasses + "vpc.DeleteVPCOfferingCmd", Kind: kernel.AsyncCommand, Instance: "VpcOffering",
			Event: "VPC.OFFERING.DELETE", Eventful: kernel.EventAsync, Action: "deleting VPC offering",
			Params: []param{id("vpcoffering")}, Run: deleteVPCOffering,
		},
	}
}

func createServiceOffering(mgr *Manager, c *kernel.Call) (obj, error) {
	cores, speed, memory := c.Integer("cpunumber", 0), c.Integer("cpuspeed", 0), c.Integer("memory", 0)
	switch {
	case cores < 1:
		return nil, api.Invalid("Failed to create service offering %s: specify the CPU cores value between 1 and "+
			"2147483647.", c.Str("name"))
	case memory < 32:
		return nil, api.Invalid("Failed to create service offering %s: specify the memory value between 32 and "+
			"2147483647 MB", c.Str("name"))
	}
	serviceOffering(mgr, nextOffering(append(slices.Clone(mgr.ServiceOfferings), mgr.DiskOfferings...)), c.Str("name"),
		cores, speed, memory)
	o := mgr.ServiceOfferings[len(mgr.ServiceOfferings)-1]
	for param, field := range map[string]string{"displaytext": "displaytext", "storagetype": "storagetype",
		"tags": "storagetags", "hosttags": "hosttags"} {
		if v := c.Str(param); v != "" {
			o.Answer[field] = v
		}
	}
	return obj{"serviceoffering": offeringAnswer(o)}, nil
}

// nextOffering is an id after the largest of those and of the system's.
func nextOffering(all []*Offering) int64 {
	next := int64(20)
	for _, o := range all {
		next = max(next, o.ID+1)
	}
	return next
}

func createVPCOffering(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	services := c.List("supportedservices")
	if len(services) == 0 {
		services = vpcServices
	}
	offered := vpcServices
	if mgr.On(release.VPCFirewall) {
		offered = append(slices.Clone(vpcServices), "Firewall")
	}
	for _, s := range services {
		if !slices.Contains(offered, s) {
			return kernel.Created{}, api.Invalid("Service %s is not supported for VPC networks", s)
		}
	}
	if slices.ContainsFunc(mgr.VPCOfferings, func(o *Offering) bool {
		return strings.EqualFold(o.Name,
			c.Str("name"))
	}) {
		return kernel.Created{}, api.Invalid("VPC offering %s already exists", c.Str("name"))
	}
	vpcOffering(mgr, nextOffering(mgr.VPCOfferings), c.Str("name"))
	o := mgr.VPCOfferings[len(mgr.VPCOfferings)-1]
	o.Services = services
	shown, _ := o.Answer["service"].([]obj)
	o.Answer["service"] = slices.DeleteFunc(shown, func(s obj) bool {
		name, _ := s["name"].(string)
		return !slices.Contains(services, name)
	})
	if o.Has("Firewall") {
		shown, _ = o.Answer["service"].([]obj)
		o.Answer["service"] = append(shown, obj{"name": "Firewall", "provider": []obj{{"name": "VpcVirtualRouter"}}})
	}
	if mgr.On(release.VPCConserveMode) {
		o.Answer["conservemode"] = c.Boolean("conservemode", false)
	}
	o.Answer["state"], o.Answer["isdefault"] = "Disabled", false
	if v := c.Str("displaytext"); v != "" {
		o.Answer["displaytext"] = v
	}
	c.Concerns(kernel.Named("VpcOffering", o.ID, o.UUID, mgr.tenancy.System.Account))
	return c.Target, nil
}

// changeOfferingWords gives an offering the name, text and state that a call has.
func changeOfferingWords(c *kernel.Call, o *Offering) error {
	if v := c.Str("state"); v != "" {
		if !strings.EqualFold(v, "Enabled") && !strings.EqualFold(v, "Disabled") {
			return api.Invalid("Incorrect state value: %s", v)
		}
		o.Answer["state"] = kernel.Capitalize(strings.ToLower(v))
	}
	if v := c.Str("name"); v != "" {
		o.Name = v
	}
	if v := c.Str("displaytext"); v != "" {
		o.Answer["displaytext"] = v
	}
	return nil
}

func deleteVPCOffering(mgr *Manager, c *kernel.Call) (obj, error) {
	o := OfferingByUUID(mgr.VPCOfferings, c.Str("id"))
	switch {
	case o == nil:
		return nil, api.Invalid("unable to find VPC offering %s", c.Str("id"))
	case o.Answer["isdefault"] == true:
		return nil, api.Invalid("Default VPC offering can't be deleted")
	case slices.ContainsFunc(mgr.VPCs.All(), func(v *VPC) bool { return v.Offering == o && v.Removed.IsZero() }):
		return nil, api.Invalid("Can't delete VPC offering %s (%d) as it's used by some VPCs. To make the VPC "+
			"offering "+
			"unavailable, disable it", o.Name, o.ID)
	}
	mgr.VPCOfferings = slices.DeleteFunc(mgr.VPCOfferings, func(x *Offering) bool { return x == o })
	return obj{"success": true}, nil
}
