package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Services of the default offerings, in the order in which they are listed.
var (
	vpcServices      = []string{"SourceNat", "Lb", "Dns", "Vpn", "NetworkACL", "PortForwarding", "Dhcp", "UserData", "StaticNat"}
	isolatedServices = []string{"SourceNat", "Lb", "Dns", "Firewall", "Vpn", "PortForwarding", "Dhcp", "UserData", "StaticNat"}
)

func without(services []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(services), func(s string) bool { return slices.Contains(names, s) })
}

// offerings fills in what a fresh installation offers. Ids are those of the simulator zone where usage records show them.
func (z *Zone) offerings() {
	z.serviceOffering(1, "Small Instance", 1, 500, 512)
	z.serviceOffering(2, "Medium Instance", 1, 1000, 1024)
	z.site.RouterOffering = &Offering{ID: 7, UUID: z.uuid(), Name: "System Offering For Software Router"}
	for i, size := range []int{5, 20, 100} {
		name := []string{"Small", "Medium", "Large"}[i]
		z.diskOfferings = append(z.diskOfferings, &Offering{ID: int64(3 + i), UUID: z.uuid(), Name: name, Answer: obj{
			"displaytext": name + " Disk, " + itoa(size) + " GB", "disksize": size, "iscustomized": false, "storagetype": "shared",
			"created": stamp(z.now()), "displayoffering": true, "provisioningtype": "thin", "state": "Active",
		}})
	}
	z.networkOffering(10, "DefaultIsolatedNetworkOfferingWithSourceNatService", "Offering for Isolated networks with Source Nat service enabled", isolatedServices, false, "Required")
	z.networkOffering(11, "DefaultIsolatedNetworkOffering", "Offering for Isolated networks with no Source Nat service", []string{"Dns", "Dhcp", "UserData"}, false, "Optional")
	z.networkOffering(13, "DefaultIsolatedNetworkOfferingForVpcNetworks", "Offering for Isolated Vpc networks with Source Nat service enabled", vpcServices, true, "Optional")
	z.networkOffering(14, "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB", "Offering for Isolated Vpc networks with Source Nat service enabled and LB service Disabled", without(vpcServices, "Lb"), true, "Optional")
	z.networkOffering(15, "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB", "Offering for Isolated Vpc networks with Internal LB support", without(vpcServices, "Vpn", "PortForwarding", "StaticNat"), true, "Optional")
	for i, name := range []string{"Default VPC offering", "Default VPC  offering with Netscaler", "Redundant VPC offering"} {
		z.vpcOffering(int64(i+1), name)
	}
	z.site.RouterTemplate = z.template(1, "SystemVM Template (simulator)", "SYSTEM", "Debian GNU/Linux 5.0 (64-bit)", z.uuid())
	z.site.VMImage = z.template(111, "CentOS 5.6 (64-bit) no GUI (Simulator)", "BUILTIN", "CentOS 5.6 (64-bit)", z.site.OSType)
}

func (z *Zone) serviceOffering(id int64, name string, cores, speed, memory int) {
	z.serviceOfferings = append(z.serviceOfferings, &Offering{ID: id, UUID: z.uuid(), Name: name, Answer: obj{
		"state": "Active", "displaytext": name, "cpunumber": cores, "cpuspeed": speed, "memory": memory, "created": stamp(z.now()),
		"storagetype": "shared", "provisioningtype": "thin", "offerha": false, "limitcpuuse": false, "isvolatile": false,
		"issystem": false, "defaultuse": false, "iscustomized": false, "rootdisksize": 0, "dynamicscalingenabled": true,
		"diskofferingstrictness": false, "encryptroot": false, "hasannotations": false,
	}})
}

func (z *Zone) networkOffering(id int64, name, text string, services []string, vpc bool, availability string) {
	o := &Offering{ID: id, UUID: z.uuid(), Name: name, Services: services, ForVPC: vpc, MaxConn: 4096}
	o.Answer = obj{
		"displaytext": text, "created": stamp(z.now()), "traffictype": "Guest", "isdefault": true, "specifyvlan": false,
		"conservemode": !vpc, "specifyipranges": false, "availability": availability, "networkrate": 200, "state": "Enabled",
		"guestiptype": "Isolated", "serviceofferingid": z.site.RouterOffering.UUID, "forvpc": vpc, "fortungsten": false,
		"ispersistent": false, "egressdefaultpolicy": false, "supportsstrechedl2subnet": false, "supportspublicaccess": false,
		"internetprotocol": "IPv4", "hasannotations": false, "service": offeringServices(o),
	}
	if !z.knobs[release.AnswerFieldsOld] {
		o.Answer["fornsx"], o.Answer["specifyasnumber"], o.Answer["supportsinternallb"] = false, false, strings.HasSuffix(name, "InternalLB")
	}
	z.networkOfferings = append(z.networkOfferings, o)
}

func (o *Offering) provider() string {
	if o.ForVPC {
		return "VpcVirtualRouter"
	}
	return "VirtualRouter"
}

// lbProvider is who balances in a network of the offering.
func (o *Offering) lbProvider() string {
	if strings.HasSuffix(o.Name, "InternalLB") {
		return "InternalLbVm"
	}
	return o.provider()
}

// has reports whether the offering has a network service ("Lb").
func (o *Offering) has(service string) bool { return slices.Contains(o.Services, service) }

// offeringServices is the service list of listNetworkOfferings.
func offeringServices(o *Offering) []obj {
	out := make([]obj, len(o.Services))
	for i, s := range o.Services {
		out[i] = obj{"name": s, "provider": []obj{{"name": o.provider()}}}
		switch s {
		case "Lb":
			out[i]["provider"] = []obj{{"name": o.lbProvider()}}
			out[i]["capability"] = capabilities(false, "SupportedLBIsolation", "dedicated", "ElasticLb", "false", "InlineMode", "false",
				"VmAutoScaling", map[bool]string{true: "true", false: "false"}[o.lbProvider() == o.provider()])
		case "SourceNat":
			out[i]["capability"] = capabilities(false, "SupportedSourceNatTypes", "peraccount", "RedundantRouter", "false")
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

func (z *Zone) vpcOffering(id int64, name string) {
	var services []obj
	for _, s := range vpcServices {
		provider := []obj{{"name": "VpcVirtualRouter"}}
		if s == "Lb" {
			provider = []obj{{"name": "InternalLbVm"}, {"name": "VpcVirtualRouter"}}
		}
		services = append(services, obj{"name": s, "provider": provider})
	}
	o := &Offering{ID: id, UUID: z.uuid(), Name: name, Services: vpcServices, ForVPC: true, Answer: obj{
		"displaytext": name, "created": stamp(z.now()), "isdefault": !strings.Contains(name, "Netscaler"), "state": "Enabled",
		"distributedvpcrouter": false, "supportsregionLevelvpc": false, "internetprotocol": "IPv4", "service": services,
	}}
	if !z.knobs[release.AnswerFieldsOld] {
		o.Answer["fornsx"], o.Answer["specifyasnumber"] = false, false
	}
	z.vpcOfferings = append(z.vpcOfferings, o)
}

func (z *Zone) template(id int64, name, kind, os, osID string) *Offering {
	o := &Offering{ID: id, UUID: z.uuid(), Name: name, Answer: obj{
		"displaytext": name, "ispublic": kind != "SYSTEM", "created": stamp(z.now()), "isready": true, "passwordenabled": false,
		"format": "VHD", "isfeatured": kind != "SYSTEM", "crossZones": true, "ostypeid": osID, "ostypename": os, "account": "system",
		"zoneid": z.site.UUID, "zonename": siteName, "status": "Download Complete", "size": imageSize, "physicalsize": imageSize,
		"templatetype": kind, "hypervisor": "Simulator", "domain": "ROOT", "isextractable": false, "checksum": "", "details": obj{},
		"downloaddetails": []obj{{"downloadState": "DOWNLOADED", "downloadPercent": "100", "datastoreRole": "Image",
			"datastore": "nfs://10.147.28.6/export/home/sandbox/secondary", "datastoreId": z.uuid()}},
		"bits": 0, "sshkeyenabled": false, "isdynamicallyscalable": false, "directdownload": false, "deployasis": false,
		"requireshvm": false, "url": "", "tags": []obj{}, "hasannotations": false,
	}}
	if !z.knobs[release.AnswerFieldsOld] {
		o.Answer["arch"] = "x86_64"
	}
	z.templates = append(z.templates, o)
	return o
}

const (
	siteName        = "Sandbox-simulator"
	imageSize int64 = 2147483648
)

// listOfferings is a list command over offerings: id, name, and a further filter.
func listOfferings(name, about, key string, all func(*Zone) []*Offering, keep func(*Zone, *call, *Offering) bool, params ...param) command {
	return command{
		name: name, about: about, params: listParams(append([]param{{"id", "uuid", false, "list by id"}, {"name", "string", false, "list by name"}}, params...)...),
		run: func(z *Zone, c *call) (obj, error) {
			var out []obj
			for _, o := range all(z) {
				if c.has("id") && c.str("id") != o.UUID || c.has("name") && c.str("name") != o.Name || keep != nil && !keep(z, c, o) ||
					!matches(c.str("keyword"), o.Name) {
					continue
				}
				one := obj{"id": o.UUID, "name": o.Name}
				for k, v := range o.Answer {
					one[k] = v
				}
				if key == "template" {
					one["domainid"] = z.domains[0].UUID
					z.domainPath(one, "/")
				}
				out = append(out, one)
			}
			return c.page(key, out), nil
		},
	}
}

func matches(keyword string, names ...string) bool {
	return keyword == "" || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(strings.ToLower(n), strings.ToLower(keyword)) })
}

func (z *Zone) offeringCommands() []command {
	return []command{
		listOfferings("listServiceOfferings", "Lists all available service offerings.", "serviceoffering",
			func(z *Zone) []*Offering { return z.serviceOfferings },
			func(z *Zone, c *call, _ *Offering) bool { return !c.boolean("issystem", false) }, param{"issystem", "boolean", false, "is this a system vm offering"}),
		listOfferings("listDiskOfferings", "Lists all available disk offerings.", "diskoffering",
			func(z *Zone) []*Offering { return z.diskOfferings }, nil),
		listOfferings("listNetworkOfferings", "Lists all available network offerings.", "networkoffering",
			func(z *Zone) []*Offering { return z.networkOfferings },
			func(z *Zone, c *call, o *Offering) bool {
				return (!c.has("forvpc") || c.boolean("forvpc", false) == o.ForVPC) &&
					(!c.has("guestiptype") || strings.EqualFold(c.str("guestiptype"), "Isolated")) &&
					(!c.has("state") || strings.EqualFold(c.str("state"), fmt.Sprint(o.Answer["state"]))) &&
					!slices.ContainsFunc(c.list("supportedservices"), func(s string) bool { return !o.has(s) })
			},
			param{"forvpc", "boolean", false, "the network offering can be used only for network creation inside the VPC"},
			param{"guestiptype", "string", false, "list network offerings by guest type: shared or isolated"},
			param{"state", "string", false, "list network offerings by state"},
			param{"supportedservices", "list", false, "list network offerings supporting certain services"},
			param{"zoneid", "uuid:zone", false, "list network offerings available for network creation in specific zone"},
			param{"vpcid", "uuid:vpc", false, "the VPC"}, param{"isdefault", "boolean", false, "true if need to list only default network offerings"}),
		listOfferings("listVPCOfferings", "Lists VPC offerings", "vpcoffering",
			func(z *Zone) []*Offering { return z.vpcOfferings },
			func(z *Zone, c *call, o *Offering) bool {
				return !c.has("isdefault") || o.Answer["isdefault"] == c.boolean("isdefault", true)
			},
			param{"isdefault", "boolean", false, "true if need to list only default VPC offerings"},
			param{"state", "string", false, "list VPC offerings by state"}, param{"zoneid", "uuid:zone", false, "id of zone VPC offering is associated with"}),
		listOfferings("listTemplates", "List all public, private, and privileged templates.", "template",
			func(z *Zone) []*Offering { return z.templates },
			func(z *Zone, c *call, o *Offering) bool {
				return strings.EqualFold(c.str("templatefilter"), "all") || o.Answer["templatetype"] != "SYSTEM"
			},
			param{"templatefilter", "string", true, "possible values are featured, self, selfexecutable, sharedexecutable, executable, community and all"},
			param{"zoneid", "uuid:zone", false, "list templates by zoneId"}, param{"hypervisor", "string", false, "the hypervisor for which to restrict the search"}),
	}
}
