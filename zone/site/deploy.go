package site

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
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

// pristineBare builds a management server without a zone: accounts, offerings, templates that are not ready,
// settings as installed.
func (mgr *Manager) pristineBare(ctx context.Context) error {
	mgr.deployed = &deployment{}
	for _, t := range mgr.net.Templates {
		t.Answer["isready"] = false
	}
	for _, step := range []func(context.Context) error{mgr.pristineAccounts, mgr.pristineVersion, mgr.settingsAtStart,
		mgr.autoscale.CounterDefaults} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, s := range mgr.tenancy.Config {
		s.Value = s.Default
		if _, err := mgr.DB().ExecContext(ctx, "UPDATE cloud.configuration SET value=? WHERE name=?",
			tenancy.OrNull(s.Value), s.Name); err != nil {
			return fmt.Errorf("setting %s as installed: %w", s.Name, err)
		}
	}
	return nil
}

// allocation is the zone's allocation state.
func (mgr *Manager) allocation() string {
	if mgr.deployed != nil && len(mgr.partsOf(partSystemVM)) == 0 {
		return "Disabled"
	}
	return "Enabled"
}

func (mgr *Manager) partsOf(kind string) []*part {
	var out []*part
	for _, p := range mgr.deployed.parts {
		if p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

func (mgr *Manager) partByUUID(kind, uuid string) *part {
	for _, p := range mgr.deployed.parts {
		if p.uuid == uuid && p.kind == kind {
			return p
		}
	}
	return nil
}

// addPart keeps the named parameters of the call as fields of a new part.
func addPart(mgr *Manager, c *kernel.Call, kind string, more obj, names ...string) *part {
	p := &part{uuid: mgr.UUID(), kind: kind, fields: obj{}}
	p.fields["id"] = p.uuid
	for _, n := range names {
		if c.Has(n) {
			p.fields[n] = c.Str(n)
		}
	}
	for k, v := range more {
		p.fields[k] = v
	}
	mgr.deployed.parts = append(mgr.deployed.parts, p)
	return p
}

// twice refuses a part whose field is taken.
func twice(mgr *Manager, c *kernel.Call, kind, field string) error {
	for _, p := range mgr.partsOf(kind) {
		if p.fields[field] == c.Str(field) {
			return api.Invalid("A %s with %s %s exists already", kind, field, c.Str(field))
		}
	}
	return nil
}

// needPart refuses an id of something that is not there.
func needPart(mgr *Manager, c *kernel.Call, kind, name string) error {
	if mgr.partByUUID(kind, c.Str(name)) == nil {
		return c.BadEntity(name, c.Str(name))
	}
	return nil
}

func createZone(mgr *Manager, c *kernel.Call) (obj, error) {
	switch {
	case mgr.net.Created:
		return nil, api.Invalid("A zone with that name: %s already exists. Please specify a different zone name. ",
			c.Str("name"))
	case c.Str("name") != net.SiteName:
		return nil, api.Invalid("The lab has one zone, which is called %s", net.SiteName)
	case c.Str("networktype") != "Advanced":
		return nil, api.Invalid("The lab's zone is of type Advanced")
	}
	ctx := c.Ctx
	if err := mgr.insertZone(ctx); err != nil {
		return nil, err
	}
	if err := mgr.pristineNetworks(ctx); err != nil {
		return nil, err
	}
	mgr.net.Created = true
	return obj{"zone": zoneAnswer(mgr)}, nil
}

// createPhysicalNetwork brings the providers with it, disabled, as a server does.
func createPhysicalNetwork(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	if err := twice(mgr, c, partPhysical, "name"); err != nil {
		return kernel.Created{}, err
	}
	p := addPart(mgr, c, partPhysical, obj{"state": "Disabled", "broadcastdomainrange": "ZONE"}, "name", "zoneid",
		"isolationmethods")
	for _, name := range []string{"VirtualRouter", "VpcVirtualRouter", "InternalLbVm"} {
		provider := addPart(mgr, c, partProvider, obj{"name": name, "physicalnetworkid": p.uuid, "state": "Disabled"})
		kind := partElement
		if name == "InternalLbVm" {
			kind = partInternal
		}
		addPart(mgr, c, kind, obj{"nspid": provider.uuid, "enabled": false})
	}
	return kernel.Created{UUID: p.uuid, ID: int64(len(mgr.deployed.parts))}, nil
}

func addTrafficType(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	if err := needPart(mgr, c, partPhysical, "physicalnetworkid"); err != nil {
		return kernel.Created{}, err
	}
	if err := twice(mgr, c, partTraffic, "traffictype"); err != nil {
		return kernel.Created{}, err
	}
	p := addPart(mgr, c, partTraffic, nil, "physicalnetworkid", "traffictype")
	return kernel.Created{UUID: p.uuid, ID: int64(len(mgr.deployed.parts))}, nil
}

// configureElement enables an element; its provider can be enabled after that.
func configureElement(mgr *Manager, c *kernel.Call) (obj, error) {
	kind := strings.ToLower(strings.TrimPrefix(c.Cmd.Name, "configure"))
	p := mgr.partByUUID(kind, c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	p.fields["enabled"] = c.Boolean("enabled", false)
	return obj{kind: p.fields}, nil
}

func updateProvider(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.partByUUID(partProvider, c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	ready := slices.ContainsFunc(mgr.deployed.parts, func(e *part) bool {
		return e.fields["nspid"] == p.uuid &&
			e.fields["enabled"] == true
	})
	if c.Str("state") == "Enabled" && !ready {
		return nil, api.Internal("Provider is not ready, cannot Enable the provider, please configure the " +
			"provider first")
	}
	p.fields["state"] = c.Str("state")
	return obj{partProvider: p.fields}, nil
}

func updatePhysicalNetwork(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.partByUUID(partPhysical, c.Str("id"))
	if p == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	for _, n := range []string{"state", "vlan"} {
		if c.Has(n) {
			p.fields[n] = c.Str(n)
		}
	}
	return obj{partPhysical: p.fields}, nil
}

// createPod keeps a pod with its one range. A pod has several, so its fields are lists
// (ApiResponseHelper.java@4.20.0.0, createPodResponse).
func createPod(mgr *Manager, c *kernel.Call) (obj, error) {
	if err := twice(mgr, c, partPod, "name"); err != nil {
		return nil, err
	}
	const untagged, forSystemVMs = "vlan://untagged", "0"
	first, last := c.Str("startip"), c.Str("startip")
	if c.Has("endip") {
		last = c.Str("endip")
	}
	p := addPart(mgr, c, partPod, obj{
		"zonename": net.SiteName, "allocationstate": "Enabled", "hasannotations": false,
		"ipranges": []obj{{"startip": first, "endip": last, "forsystemvms": forSystemVMs, "vlanid": untagged}},
		"startip":  []string{first}, "endip": []string{last}, "forsystemvms": []string{forSystemVMs},
		"vlanid": []string{untagged},
	}, "zoneid", "name", "gateway", "netmask")
	return obj{partPod: p.fields}, nil
}

// addHost adds a simulated host. The agent's name is its own; the url is what tells two hosts apart.
func addHost(mgr *Manager, c *kernel.Call) (obj, error) {
	if err := needPart(mgr, c, partCluster, "clusterid"); err != nil {
		return nil, err
	}
	for _, h := range mgr.net.Hosts {
		if h.URL == c.Str("url") {
			return nil, api.Internal("Can't add host: a host with the url %s exists", h.URL)
		}
	}
	cluster := mgr.partByUUID(partCluster, c.Str("clusterid"))
	h := &net.Host{ID: int64(len(mgr.net.Hosts) + 1), UUID: mgr.UUID(), Name: "SimulatedAgent." + mgr.UUID(),
		URL: c.Str("url"), Cluster: cluster.uuid}
	h.Sized()
	mgr.net.Hosts = append(mgr.net.Hosts, h)
	return obj{"count": 1, "host": []obj{hostAnswer(mgr, len(mgr.net.Hosts)-1, h)}}, nil
}

// createVlanIpRange brings the public addresses.
func createVlanIPRange(mgr *Manager, c *kernel.Call) (obj, error) {
	first, errFirst := netip.ParseAddr(c.Str("startip"))
	last, errLast := netip.ParseAddr(c.Str("endip"))
	if errFirst != nil || errLast != nil || !first.Is4() || !last.Is4() || last.Less(first) {
		return nil, api.Invalid("Please specify a valid start IP and end IP")
	}
	if len(mgr.net.Addresses.All()) > 0 {
		return nil, api.Invalid("The IP range %s-%s overlaps with an existing one", first, last)
	}
	if err := mgr.addAddresses(c.Ctx, first, last, 0); err != nil {
		return nil, err
	}
	p := addPart(mgr, c, partRange, obj{"vlan": "vlan://" + c.Str("vlan"), "forvirtualnetwork": true}, "zoneid",
		"startip", "endip", "gateway", "netmask")
	mgr.net.Site.VLANUUID = p.uuid
	return obj{"vlan": p.fields}, nil
}

// updateZone enables the zone once it is complete: its system VMs start, its templates become ready.
func updateZone(mgr *Manager, c *kernel.Call) (obj, error) {
	if c.Str("allocationstate") != "Enabled" || len(mgr.partsOf(partSystemVM)) > 0 {
		return obj{"zone": zoneAnswer(mgr)}, nil
	}
	for _, kind := range []string{partPhysical, partTraffic, partPod, partCluster, partPool, partRange, partImages} {
		if len(mgr.partsOf(kind)) == 0 {
			return nil, api.Invalid("Cannot enable the zone: it has no %s", kind)
		}
	}
	if len(mgr.net.Hosts) == 0 || mgr.partsOf(partPhysical)[0].fields["state"] != "Enabled" {
		return nil, api.Invalid("Cannot enable the zone: it has no host, or its physical network is disabled")
	}
	names, err := mgr.insertSystemVMs(c.Ctx)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		addPart(mgr, c, partSystemVM, obj{"name": name, "state": "Running", "agentstate": "Up",
			"zoneid":       mgr.net.Site.UUID,
			"systemvmtype": []string{"secondarystoragevm", "consoleproxy"}[i]})
	}
	for _, t := range mgr.net.Templates {
		t.Answer["isready"] = true
	}
	return obj{"zone": zoneAnswer(mgr)}, nil
}
