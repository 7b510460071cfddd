package objects

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
)

// choices are the parts of a zone that a scenario builds on.
type choices struct {
	zone, vpcOffering, tierOffering, isolatedOffering, template, serviceOffering string
}

// Names of CloudStack's built-in offerings (NetworkOffering.java, ConfigurationServerImpl.java@4.20.0.0).
const (
	defaultVPCOffering      = "Default VPC offering"
	defaultTierOffering     = "DefaultIsolatedNetworkOfferingForVpcNetworks"
	defaultIsolatedOffering = "DefaultIsolatedNetworkOfferingWithSourceNatService"
)

// pick takes the one that is named (by name or id), else the first that fits, and gives its id.
func pick[O any](t *Cast, what, named string, all []*O, goesBy func(*O) (id, name string), fits func(*O) bool) string {
	for _, one := range all {
		id, name := goesBy(one)
		if named != "" && (name == named || id == named) || named == "" && fits(one) {
			return id
		}
	}
	if named != "" {
		t.Inconclusive("the zone has no %s %q", what, named)
	}
	t.Inconclusive("the zone has no %s that fits", what)
	return ""
}

// choices chooses zone, offerings and template once per site.
func (t *Cast) choices() choices {
	if t.chosen == nil {
		c := chooser{t}.choose()
		t.chosen = &c
	}
	return *t.chosen
}

// chooser looks for what objects are made of: offerings and a template.
type chooser struct{ *Cast }

func (t chooser) choose() (c choices) {
	n := t.Site.Named
	zones, err := t.Site.Cloud.ListZones(t.Ctx, nil)
	t.Must(err, "listing zones")
	c.zone = pick(t.Cast, "enabled advanced zone", n.Zone, zones,
		func(z *cloud.Zone) (id, name string) { return z.Id, z.Name },
		func(z *cloud.Zone) bool {
			return z.Networktype == "Advanced" && z.Allocationstate == "Enabled" && !z.Securitygroupsenabled
		})
	c.vpcOffering = t.chooseVPCOffering(n.VPCOffering)
	c.tierOffering = t.chooseNetworkOffering("tier offering", n.TierOffering, defaultTierOffering, true)
	c.isolatedOffering = t.chooseNetworkOffering("isolated network offering", n.IsolatedOffering,
		defaultIsolatedOffering, false)
	c.template = t.chooseTemplate(n.Template, c.zone)
	c.serviceOffering = t.chooseServiceOffering(n.ServiceOffering, c.zone)
	return c
}

func (t chooser) chooseVPCOffering(named string) string {
	all, err := t.Site.Cloud.ListVPCOfferings(t.Ctx, cloud.Params{"state": "Enabled"})
	t.Must(err, "listing VPC offerings")
	return pick(t.Cast, "VPC offering", named, all,
		func(o *cloud.VPCOffering) (id, name string) { return o.Id, o.Name },
		func(o *cloud.VPCOffering) bool { return o.Name == defaultVPCOffering })
}

func (t chooser) chooseNetworkOffering(what, named, builtIn string, forVPC bool) string {
	all, err := t.Site.Cloud.ListNetworkOfferings(t.Ctx, cloud.Params{"forvpc": forVPC, "state": "Enabled"})
	t.Must(err, "listing network offerings")
	return pick(t.Cast, what, named, all,
		func(o *cloud.NetworkOffering) (id, name string) { return o.Id, o.Name },
		func(o *cloud.NetworkOffering) bool { return o.Name == builtIn })
}

func (t chooser) chooseTemplate(named, zone string) string {
	all, err := t.Site.Cloud.ListTemplates(t.Ctx, "all", cloud.Params{"zoneid": zone})
	t.Must(err, "listing templates")
	return pick(t.Cast, "ready user template", named, all,
		func(o *cloud.Template) (id, name string) { return o.Id, o.Name },
		func(o *cloud.Template) bool {
			return o.Isready && o.Ispublic && o.Templatetype != "SYSTEM" && o.Templatetype != "ROUTING"
		})
}

// chooseServiceOffering takes the smallest that is not customised and that any account may use on any host of the zone.
func (t chooser) chooseServiceOffering(named, zone string) string {
	all, err := t.Site.Cloud.ListServiceOfferings(t.Ctx, nil)
	t.Must(err, "listing service offerings")
	slices.SortStableFunc(all, func(a, b *cloud.ServiceOffering) int {
		return cmp.Or(cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Cpunumber*a.Cpuspeed, b.Cpunumber*b.Cpuspeed))
	})
	return pick(t.Cast, "service offering", named, all,
		func(o *cloud.ServiceOffering) (id, name string) { return o.Id, o.Name },
		func(o *cloud.ServiceOffering) bool { return anybodys(o, zone) })
}

// anybodys says whether an account of a new domain may use the offering, on any host and storage of the zone. An
// administrator is shown those of other domains and zones too.
func anybodys(o *cloud.ServiceOffering, zone string) bool {
	return !o.Iscustomized && !o.Issystem && o.Domainid == "" && o.Hosttags == "" && o.Storagetags == "" &&
		(o.Zoneid == "" || strings.Contains(o.Zoneid, zone))
}
