package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

// part is one piece of a zone that is being set up: physical network, pod, cluster, host, pool ...
type part struct {
	uuid, kind string
	fields     obj
}

// deployment is what a bare management server has been given so far (Options.Bare).
type deployment struct {
	parts []*part
}

// The kinds of parts are the keys of their list answers.
const (
	partPhysical = "physicalnetwork"
	partTraffic  = "traffictype"
	partProvider = "networkserviceprovider"
	partElement  = "virtualrouterelement"
	partInternal = "internalloadbalancerelement"
	partPod      = "pod"
	partCluster  = "cluster"
	partPool     = "storagepool"
	partRange    = "vlaniprange"
	partImages   = "imagestore"
	partSystemVM = "systemvm"
)

// pristineBare builds a management server without a zone: accounts, offerings, templates that are not ready, settings as
// installed.
func (z *Zone) pristineBare(ctx context.Context) error {
	z.deployed = &deployment{}
	for _, t := range z.templates {
		t.Answer["isready"] = false
	}
	for _, step := range []func(context.Context) error{z.pristineAccounts, z.pristineVersion, z.settingsAtStart, z.counterDefaults} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, s := range z.config {
		s.Value = s.Default
		if _, err := z.store.db.ExecContext(ctx, "UPDATE cloud.configuration SET value=? WHERE name=?", orNull(s.Value), s.Name); err != nil {
			return fmt.Errorf("setting %s as installed: %w", s.Name, err)
		}
	}
	return nil
}

// hasZone says whether there is a zone to speak of.
func (z *Zone) hasZone() bool { return !z.bare || z.created }

// allocation is the zone's allocation state.
func (z *Zone) allocation() string {
	if z.deployed != nil && len(z.partsOf(partSystemVM)) == 0 {
		return "Disabled"
	}
	return "Enabled"
}

func (z *Zone) partsOf(kind string) []*part {
	var out []*part
	for _, p := range z.deployed.parts {
		if p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

func (z *Zone) partByUUID(kind, uuid string) *part {
	for _, p := range z.deployed.parts {
		if p.uuid == uuid && p.kind == kind {
			return p
		}
	}
	return nil
}

// addPart keeps the named parameters of the call as fields of a new part.
func addPart(z *Zone, c *call, kind string, more obj, names ...string) *part {
	p := &part{uuid: z.uuid(), kind: kind, fields: obj{}}
	p.fields["id"] = p.uuid
	for _, n := range names {
		if c.has(n) {
			p.fields[n] = c.str(n)
		}
	}
	for k, v := range more {
		p.fields[k] = v
	}
	z.deployed.parts = append(z.deployed.parts, p)
	return p
}

// twice refuses a part whose field is taken.
func twice(z *Zone, c *call, kind, field string) error {
	for _, p := range z.partsOf(kind) {
		if p.fields[field] == c.str(field) {
			return api.Invalid("A %s with %s %s exists already", kind, field, c.str(field))
		}
	}
	return nil
}

// needPart refuses an id of something that is not there.
func needPart(z *Zone, c *call, kind, name string) error {
	if z.partByUUID(kind, c.str(name)) == nil {
		return c.badEntity(name, c.str(name))
	}
	return nil
}

func createZone(z *Zone, c *call) (obj, error) {
	switch {
	case z.created:
		return nil, api.Invalid("A zone with that name: %s already exists. Please specify a different zone name. ", c.str("name"))
	case c.str("name") != siteName:
		return nil, api.Invalid("The lab has one zone, which is called %s", siteName)
	case c.str("networktype") != "Advanced":
		return nil, api.Invalid("The lab's zone is of type Advanced")
	}
	ctx := c.ctx
	if err := z.insertZone(ctx); err != nil {
		return nil, err
	}
	if err := z.pristineNetworks(ctx); err != nil {
		return nil, err
	}
	z.created = true
	return obj{"zone": z.zoneAnswer()}, nil
}

// createPhysicalNetwork brings the providers with it, disabled, as a server does.
func createPhysicalNetwork(z *Zone, c *call) (created, error) {
	if err := twice(z, c, partPhysical, "name"); err != nil {
		return created{}, err
	}
	p := addPart(z, c, partPhysical, obj{"state": "Disabled", "broadcastdomainrange": "ZONE"}, "name", "zoneid", "isolationmethods")
	for _, name := range []string{"VirtualRouter", "VpcVirtualRouter", "InternalLbVm"} {
		provider := addPart(z, c, partProvider, obj{"name": name, "physicalnetworkid": p.uuid, "state": "Disabled"})
		kind := partElement
		if name == "InternalLbVm" {
			kind = partInternal
		}
		addPart(z, c, kind, obj{"nspid": provider.uuid, "enabled": false})
	}
	return created{uuid: p.uuid, id: int64(len(z.deployed.parts))}, nil
}

func addTrafficType(z *Zone, c *call) (created, error) {
	if err := needPart(z, c, partPhysical, "physicalnetworkid"); err != nil {
		return created{}, err
	}
	if err := twice(z, c, partTraffic, "traffictype"); err != nil {
		return created{}, err
	}
	p := addPart(z, c, partTraffic, nil, "physicalnetworkid", "traffictype")
	return created{uuid: p.uuid, id: int64(len(z.deployed.parts))}, nil
}

// configureElement enables an element; its provider can be enabled after that.
func configureElement(z *Zone, c *call) (obj, error) {
	kind := strings.ToLower(strings.TrimPrefix(c.cmd.name, "configure"))
	p := z.partByUUID(kind, c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	p.fields["enabled"] = c.boolean("enabled", false)
	return obj{kind: p.fields}, nil
}

func updateProvider(z *Zone, c *call) (obj, error) {
	p := z.partByUUID(partProvider, c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	ready := slices.ContainsFunc(z.deployed.parts, func(e *part) bool { return e.fields["nspid"] == p.uuid && e.fields["enabled"] == true })
	if c.str("state") == "Enabled" && !ready {
		return nil, api.Internal("Provider is not ready, cannot Enable the provider, please configure the provider first")
	}
	p.fields["state"] = c.str("state")
	return obj{partProvider: p.fields}, nil
}

func updatePhysicalNetwork(z *Zone, c *call) (obj, error) {
	p := z.partByUUID(partPhysical, c.str("id"))
	if p == nil {
		return nil, c.badEntity("id", c.str("id"))
	}
	for _, n := range []string{"state", "vlan"} {
		if c.has(n) {
			p.fields[n] = c.str(n)
		}
	}
	return obj{partPhysical: p.fields}, nil
}

// createPod keeps a pod with its one range. A pod has several, so its fields are lists (ApiResponseHelper.java@4.20.0.0, createPodResponse).
func createPod(z *Zone, c *call) (obj, error) {
	if err := twice(z, c, partPod, "name"); err != nil {
		return nil, err
	}
	const untagged, forSystemVMs = "vlan://untagged", "0"
	first, last := c.str("startip"), c.str("startip")
	if c.has("endip") {
		last = c.str("endip")
	}
	p := addPart(z, c, partPod, obj{
		"zonename": siteName, "allocationstate": "Enabled", "hasannotations": false,
		"ipranges": []obj{{"startip": first, "endip": last, "forsystemvms": forSystemVMs, "vlanid": untagged}},
		"startip":  []string{first}, "endip": []string{last}, "forsystemvms": []string{forSystemVMs}, "vlanid": []string{untagged},
	}, "zoneid", "name", "gateway", "netmask")
	return obj{partPod: p.fields}, nil
}

// addHost adds a simulated host. The agent's name is its own; the url is what tells two hosts apart.
func addHost(z *Zone, c *call) (obj, error) {
	if err := needPart(z, c, partCluster, "clusterid"); err != nil {
		return nil, err
	}
	for _, h := range z.hosts {
		if h.URL == c.str("url") {
			return nil, api.Internal("Can't add host: a host with the url %s exists", h.URL)
		}
	}
	cluster := z.partByUUID(partCluster, c.str("clusterid"))
	h := &Host{ID: int64(len(z.hosts) + 1), UUID: z.uuid(), Name: "SimulatedAgent." + z.uuid(), URL: c.str("url"), Cluster: cluster.uuid}
	h.sized()
	z.hosts = append(z.hosts, h)
	return obj{"count": 1, "host": []obj{z.hostAnswer(len(z.hosts)-1, h)}}, nil
}

// createVlanIpRange brings the public addresses.
func createVlanIPRange(z *Zone, c *call) (obj, error) {
	first, errFirst := netip.ParseAddr(c.str("startip"))
	last, errLast := netip.ParseAddr(c.str("endip"))
	if errFirst != nil || errLast != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return nil, api.Invalid("Please specify a valid start IP and end IP")
	}
	if len(z.addresses) > 0 {
		return nil, api.Invalid("The IP range %s-%s overlaps with an existing one", first, last)
	}
	if err := z.addAddresses(c.ctx, first, last, 0); err != nil {
		return nil, err
	}
	p := addPart(z, c, partRange, obj{"vlan": "vlan://" + c.str("vlan"), "forvirtualnetwork": true}, "zoneid", "startip", "endip", "gateway", "netmask")
	z.site.VLANUUID = p.uuid
	return obj{"vlan": p.fields}, nil
}

// updateZone enables the zone once it is complete: its system VMs start, its templates become ready.
func updateZone(z *Zone, c *call) (obj, error) {
	if c.str("allocationstate") != "Enabled" || len(z.partsOf(partSystemVM)) > 0 {
		return obj{"zone": z.zoneAnswer()}, nil
	}
	for _, kind := range []string{partPhysical, partTraffic, partPod, partCluster, partPool, partRange, partImages} {
		if len(z.partsOf(kind)) == 0 {
			return nil, api.Invalid("Cannot enable the zone: it has no %s", kind)
		}
	}
	if len(z.hosts) == 0 || z.partsOf(partPhysical)[0].fields["state"] != "Enabled" {
		return nil, api.Invalid("Cannot enable the zone: it has no host, or its physical network is disabled")
	}
	names, err := z.insertSystemVMs(c.ctx)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		addPart(z, c, partSystemVM, obj{"name": name, "state": "Running", "agentstate": "Up", "zoneid": z.site.UUID,
			"systemvmtype": []string{"secondarystoragevm", "consoleproxy"}[i]})
	}
	for _, t := range z.templates {
		t.Answer["isready"] = true
	}
	return obj{"zone": z.zoneAnswer()}, nil
}
