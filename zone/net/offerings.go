package net

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Services of the default offerings, in the order in which they are listed.
var (
	vpcServices = []string{"SourceNat", "Lb", "Dns", "Vpn", "NetworkACL", "PortForwarding", "Dhcp", "UserData",
		"StaticNat"}
	isolatedServices = []string{"SourceNat", "Lb", "Dns", "Firewall", "Vpn", "PortForwarding", "Dhcp", "UserData",
		"StaticNat"}
)

func without(services []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(services), func(s string) bool { return slices.Contains(names, s) })
}

// Offerings fills in what a fresh installation offers. Ids are those of the simulator zone where usage records show
// them.
func (mgr *Manager) Offerings() {
	serviceOffering(mgr, 1, "Small Instance", 1, 500, 512)
	serviceOffering(mgr, 2, "Medium Instance", 1, 1000, 1024)
	mgr.Site.RouterOffering = &Offering{ID: 7, UUID: mgr.UUID(), Name: "System Offering For Software Router"}
	for i, size := range []int{5, 20, 100} {
		name := []string{"Small", "Medium", "Large"}[i]
		mgr.DiskOfferings = append(mgr.DiskOfferings, &Offering{ID: int64(3 + i), UUID: mgr.UUID(), Name: name,
			Answer: obj{
				"displaytext": name + " Disk, " + kernel.Itoa(size) + " GB", "disksize": size, "iscustomized": false,
				"storagetype": "shared",
				"created":     kernel.Stamp(mgr.Now()), "displayoffering": true, "provisioningtype": "thin",
				"state": "Active",
			}})
	}
	networkOffering(mgr, 10, "DefaultIsolatedNetworkOfferingWithSourceNatService", "Offering for Isolated "+
		"networks with Source Nat service enabled", isolatedServices, false, "Required")
	networkOffering(mgr, 11, "DefaultIsolatedNetworkOffering", "Offering for Isolated networks with no Source "+
		"Nat service", []string{"Dns", "Dhcp", "UserData"}, false, "Optional")
	networkOffering(mgr, 13, tierOffering, "Offering for Isolated Vpc networks "+
		"with Source Nat service enabled", vpcServices, true, "Optional")
	networkOffering(mgr, 14, "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB", "Offering for Isolated Vpc "+
		"networks with Source Nat service enabled and LB service Disabled", without(vpcServices, "Lb"), true,
		"Optional")
	networkOffering(mgr, 15, "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB", "Offering for "+
		"Isolated Vpc networks with Internal LB support", without(vpcServices, "Vpn", "PortForwarding", "StaticNat"),
		true, "Optional")
	for i, name := range []string{"Default VPC offering", "Default VPC  offering with Netscaler", "Redundant VPC " +
		"offering"} {
		vpcOffering(mgr, int64(i+1), name)
	}
	mgr.Site.RouterTemplate = template(mgr, 1, "SystemVM Template (simulator)", "SYSTEM", "Debian GNU/Linux 5.0 "+
		"(64-bit)", mgr.UUID())
	mgr.Site.VMImage = template(mgr, 111, "CentOS 5.6 (64-bit) no GUI (Simulator)", "BUILTIN", "CentOS 5.6 "+
		"(64-bit)", mgr.Site.OSType)
}

func serviceOffering(mgr *Manager, id int64, name string, cores, speed, memory int) {
	mgr.ServiceOfferings = append(mgr.ServiceOfferings, &Offering{ID: id, UUID: mgr.UUID(), Name: name, Answer: obj{
		"state": "Active", "displaytext": name, "cpunumber": cores, "cpuspeed": speed, "memory": memory,
		"created":     kernel.Stamp(mgr.Now()),
		"storagetype": "shared", "provisioningtype": "thin", "offerha": false, "limitcpuuse": false,
		"isvolatile": false,
		"issystem":   false, "defaultuse": false, "iscustomized": false, "rootdisksize": 0,
		"dynamicscalingenabled":  true,
		"diskofferingstrictness": false, "encryptroot": false, "hasannotations": false,
	}})
}

// tierOffering is the built-in one of tiers that balance load.
const tierOffering = "DefaultIsolatedNetworkOfferingForVpcNetworks"

// Conserves says whether an address of a network may carry rules of several kinds.
func (n *Network) Conserves() bool {
	return n.Offering.Conserves()
}

// Conserves says whether an address of a VPC may carry rules of several of its tiers
// (VpcManagerImpl.isNetworkOnVpcEnabledConserveMode@main). It is false for no VPC.
func (v *VPC) Conserves() bool { return v != nil && v.Offering.Conserves() }

// Conserves says whether an offering is in conserve mode.
func (o *Offering) Conserves() bool {
	conserves, _ := o.Answer["conservemode"].(bool)
	return conserves
}

func networkOffering(mgr *Manager, id int64, name, text string, services []string, vpc bool, availability string) {
	o := &Offering{ID: id, UUID: mgr.UUID(), Name: name, Services: services, ForVPC: vpc, MaxConn: 4096}
	o.Answer = obj{
		"displaytext": text, "created": kernel.Stamp(mgr.Now()), "traffictype": "Guest", "isdefault": true,
		"specifyvlan":  false,
		"conservemode": !vpc || name == tierOffering && mgr.On(release.ConserveModeTier), "specifyipranges": false,
		"availability": availability, "networkrate": 200,
		"state":       "Enabled",
		"guestiptype": "Isolated", "serviceofferingid": mgr.Site.RouterOffering.UUID, "forvpc": vpc,
		"fortungsten":  false,
		"ispersistent": false, "egressdefaultpolicy": false, "supportsstrechedl2subnet": false,
		"supportspublicaccess": false,
		"internetprotocol":     "IPv4", "hasannotations": false, "service": offeringServices(o),
	}
	if !mgr.On(release.AnswerFieldsOld) {
		o.Answer["fornsx"], o.Answer["specifyasnumber"], o.Answer["supportsinternallb"] = false, false,
			strings.HasSuffix(name, "InternalLB")
	}
	mgr.NetworkOfferings = append(mgr.NetworkOfferings, o)
}

// Provider is who provides the services of an offering.
func (o *Offering) Provider() string {
	if o.ForVPC {
		return "VpcVirtualRouter"
	}
	return "VirtualRouter"
}

// LBProvider is who balances in a network of the offering.
func (o *Offering) LBProvider() string {
	if strings.HasSuffix(o.Name, "InternalLB") {
		return "InternalLbVm"
	}
	return o.Provider()
}

// Has reports whether the offering has a network service ("Lb").
func (o *Offering) Has(service string) bool { return slices.Contains(o.Services, service) }

// offeringServices is the service list of listNetworkOfferings.
func offeringServices(o *Offering) []obj {
	out := make([]obj, len(o.Services))
	for i, s := range o.Services {
		out[i] = obj{"name": s, "provider": []obj{{"name": o.Provider()}}}
		switch s {
		case "Lb":
			out[i]["provider"] = []obj{{"name": o.LBProvider()}}
			out[i]["capability"] = capabilities(false, "SupportedLBIsolation", "dedicated", "ElasticLb", "false",
				"InlineMode", "false",
				"VmAutoScaling", map[bool]string{true: "true", false: "false"}[o.LBProvider() == o.Provider()])
		case "SourceNat":
			out[i]["capability"] = capabilities(false, "SupportedSourceNatTypes", "peraccount", "RedundantRouter",
				"false")
		case "StaticNat":
			out[i]["capability"] = capabilities(false, "ElasticIp", "false", "AssociatePublicIP", "true")
		}
	}
	return out
}

func capabilities(choose bool, pairs ...string) []obj {
	var out []obj
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, obj{"name": pairs[i], "value": pairs[i+1], "canchooseservicecapability": choose})
	}
	return out
}

func vpcOffering(mgr *Manager, id int64, name string) {
	var services []obj
	for _, s := range vpcServices {
		provider := []obj{{"name": "VpcVirtualRouter"}}
		if s == "Lb" {
			provider = []obj{{"name": "InternalLbVm"}, {"name": "VpcVirtualRouter"}}
		}
		services = append(services, obj{"name": s, "provider": provider})
	}
	o := &Offering{ID: id, UUID: mgr.UUID(), Name: name, Services: vpcServices, ForVPC: true, Answer: obj{
		"displaytext": name, "created": kernel.Stamp(mgr.Now()), "isdefault": !strings.Contains(name, "Netscaler"),
		"state":                "Enabled",
		"distributedvpcrouter": false, "supportsregionLevelvpc": false, "internetprotocol": "IPv4", "service": services,
	}}
	if !mgr.On(release.AnswerFieldsOld) {
		o.Answer["fornsx"], o.Answer["specifyasnumber"] = false, false
	}
	if mgr.On(release.VPCConserveMode) {
		o.Answer["conservemode"] = false
	}
	mgr.VPCOfferings = append(mgr.VPCOfferings, o)
}

func template(mgr *Manager, id int64, name, kind, os, osID string) *Offering {
	o := &Offering{ID: id, UUID: mgr.UUID(), Name: name, Answer: obj{
		"displaytext": name, "ispublic": kind != "SYSTEM", "created": kernel.Stamp(mgr.Now()), "isready": true,
		"passwordenabled": false,
		"format":          "VHD", "isfeatured": kind != "SYSTEM", "crossZones": true, "ostypeid": osID,
		"ostypename": os,
		"account":    "system",
		"zoneid":     mgr.Site.UUID, "zonename": SiteName, "status": "Download Complete", "size": ImageSize,
		"physicalsize": ImageSize,
		"templatetype": kind, "hypervisor": "Simulator", "domain": "ROOT", "isextractable": false, "checksum": "",
		"details": obj{},
		"downloaddetails": []obj{{"downloadState": "DOWNLOADED", "downloadPercent": "100", "datastoreRole": "Image",
			"datastore": "nfs://10.147.28.6/export/home/sandbox/secondary", "datastoreId": mgr.UUID()}},
		"bits": 0, "sshkeyenabled": false, "isdynamicallyscalable": false, "directdownload": false, "deployasis": false,
		"requireshvm": false, "url": "", "tags": []obj{}, "hasannotations": false,
	}}
	if !mgr.On(release.AnswerFieldsOld) {
		o.Answer["arch"] = "x86_64"
	}
	mgr.Templates = append(mgr.Templates, o)
	return o
}

const (
	SiteName        = "Sandbox-simulator"
	ImageSize int64 = 2147483648
)

// ownerless refuses the lists of offerings that are made for an account, where the integration port names none
// (AccountManagerImpl.finalizeOwner@4.20.3.0; confirmed.md 44).
func ownerless(mgr *Manager, c *kernel.Call, key string) error {
	if key != "serviceoffering" && key != "diskoffering" || tenancy.Caller(c) != mgr.tenancy.System ||
		c.Has("account") && c.Has("domainid") || c.Has("projectid") {
		return nil
	}
	return api.Invalid("Account and domainId are needed for resource creation")
}

// listOfferings is a list command over offerings: id, name, and a further filter.
func listOfferings(name, about, key string, all func(*Manager) []*Offering,
	keep func(*Manager, *kernel.Call, *Offering) bool, params ...param) command {
	return command{
		Name: name, About: about, Params: kernel.ListParams(append([]param{{Name: "id", Type: "uuid:" + key,
			About: "list by id"},
			{Name: "name", Type: "string", About: "list by name"}}, params...)...),
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			if err := ownerless(mgr, c, key); err != nil {
				return nil, err
			}
			var out []obj
			for _, o := range all(mgr) {
				if c.Has("id") && c.Str("id") != o.UUID || !named(c, key, o) || keep != nil &&
					!keep(mgr, c, o) ||
					!kernel.Matches(c.Str("keyword"), o.Name) {
					continue
				}
				one := obj{"id": o.UUID, "name": o.Name}
				for k, v := range o.Answer {
					one[k] = v
				}
				if key == "template" {
					one["domainid"] = mgr.tenancy.Domains.All()[0].UUID
					mgr.tenancy.DomainPath(one, mgr.tenancy.Domains.All()[0])
				}
				out = append(out, one)
			}
			return c.Page(key, out), nil
		},
	}
}

// named compares names as the command does: VPC offerings are found by a part of their name, others by all of it
// (VpcManagerImpl.java@4.20.1.0).
func named(c *kernel.Call, key string, o *Offering) bool {
	if key == "vpcoffering" {
		return kernel.Matches(c.Str("name"), o.Name)
	}
	return !c.Differs("name", o.Name)
}

func offeringCommands() []command {
	return []command{
		listOfferings("listServiceOfferings", "Lists all available service offerings.", "serviceoffering",
			func(mgr *Manager) []*Offering { return mgr.ServiceOfferings },
			func(mgr *Manager, c *kernel.Call, o *Offering) bool {
				return !c.Boolean("issystem", false) && (o.Answer["state"] == "Active" || c.Has("id"))
			},
			param{Name: "zoneid", Type: "uuid:zone", About: "id of zone disk offering is associated with"},
			param{Name: "issystem", Type: "boolean", About: "is this a system vm offering"}),
		listOfferings("listBackupOfferings", "Lists backup offerings", "backupoffering",
			func(mgr *Manager) []*Offering { return []*Offering{DummyBackup(mgr)} }, nil,
			param{Name: "zoneid", Type: "uuid:zone", About: "The zone ID"}),
		listOfferings("listDiskOfferings", "Lists all available disk offerings.", "diskoffering",
			func(mgr *Manager) []*Offering { return mgr.DiskOfferings }, nil),
		listOfferings("listNetworkOfferings", "Lists all available network offerings.", "networkoffering",
			func(mgr *Manager) []*Offering { return mgr.NetworkOfferings },
			func(mgr *Manager, c *kernel.Call, o *Offering) bool {
				return (!c.Has("forvpc") || c.Boolean("forvpc", false) == o.ForVPC) &&
					(!c.Has("guestiptype") || strings.EqualFold(c.Str("guestiptype"), "Isolated")) &&
					(!c.Has("state") || strings.EqualFold(c.Str("state"), fmt.Sprint(o.Answer["state"]))) &&
					!slices.ContainsFunc(c.List("supportedservices"), func(s string) bool { return !o.Has(s) })
			},
			param{Name: "forvpc", Type: "boolean", About: "the network offering can be used only for network " +
				"creation inside the VPC"},
			param{Name: "guestiptype", Type: "string", About: "list network offerings by guest type: shared or " +
				"isolated"},
			param{Name: "state", Type: "string", About: "list network offerings by state"},
			param{Name: "supportedservices", Type: "list", About: "list network offerings supporting certain services"},
			param{Name: "zoneid", Type: "uuid:zone", About: "list network offerings available for network " +
				"creation in specific zone"},
			param{Name: "vpcid", Type: "uuid:vpc", About: "the VPC"},
			param{Name: "isdefault", Type: "boolean", About: "true if need to list only default network offerings"}),
		listOfferings("listVPCOfferings", "Lists VPC offerings", "vpcoffering",
			func(mgr *Manager) []*Offering { return mgr.VPCOfferings },
			func(mgr *Manager, c *kernel.Call, o *Offering) bool {
				return (!c.Has("isdefault") || o.Answer["isdefault"] == c.Boolean("isdefault", true)) &&
					(!c.Has("state") || strings.EqualFold(c.Str("state"), fmt.Sprint(o.Answer["state"])))
			},
			param{Name: "isdefault", Type: "boolean", About: "true if need to list only default VPC offerings"},
			param{Name: "state", Type: "string", About: "list VPC offerings by state"},
			param{Name: "zoneid", Type: "uuid:zone", About: "id of zone VPC offering is associated with"}),
		listOfferings("listTemplates", "List all public, private, and privileged templates.", "template",
			func(mgr *Manager) []*Offering { return mgr.Templates },
			func(mgr *Manager, c *kernel.Call, o *Offering) bool {
				return (strings.EqualFold(c.Str("templatefilter"), "all") || o.Answer["templatetype"] != "SYSTEM") &&
					(!c.Has("hypervisor") || strings.EqualFold(c.Str("hypervisor"), "Simulator"))
			},
			param{Name: "templatefilter", Type: "string", Required: true, About: "possible values are featured, " +
				"self, selfexecutable, sharedexecutable, executable, community and all"},
			param{Name: "zoneid", Type: "uuid:zone", About: "list templates by zoneId"},
			param{Name: "hypervisor", Type: "string", About: "the hypervisor for which to restrict the search"}),
	}
}

// DummyBackup is the one backup offering.
func DummyBackup(mgr *Manager) *Offering {
	return &Offering{ID: 1, UUID: mgr.Site.BackupOffering, Name: "dummy backups",
		Answer: obj{"description": "Backups of the dummy provider", "provider": "dummy",
			"zoneid": mgr.Site.UUID, "zonename": SiteName, "allowuserdrivenbackups": true,
			"created": kernel.Stamp(mgr.Now())}}
}
