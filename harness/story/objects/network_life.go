package objects

import (
	"context"
	"maps"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
)

// with deletes something and notes the rules that go with it.
func (t *Cast) with(dies func(*Rule) bool, what string, remove func() error) {
	defer t.Step("%s", what)()
	t.Pass(stage.Apart)
	began := t.Now()
	t.Must(remove(), "%s", what)
	for _, r := range t.rules {
		if r.Deleted.IsZero() && dies(r) {
			r.Deleting, r.Deleted = began, t.Now()
			t.Must(t.removed(r.ID, nil), "noting the removal of %s", r)
		}
	}
	t.Pass(stage.Apart)
}

// Release gives the address back, with all rules on it.
func (a *Address) Release() {
	a.t.with(func(r *Rule) bool { return r.Address == a }, "release of "+a.IP.String(), func() error {
		return a.Account.Cloud.DisassociateIPAddress(a.t.Ctx, a.ID)
	})
	a.t.Must(a.t.removed(a.ID, nil), "noting the release of %s", a.IP)
}

// Delete deletes the network with its rules.
func (n *Network) Delete() {
	n.t.with(func(r *Rule) bool { return r.Network == n }, "delete "+n.Name,
		func() error { return n.Account.Cloud.DeleteNetwork(n.t.Ctx, n.ID) })
	n.ended = true
	n.t.Must(n.t.removed(n.ID, nil), "noting the removal of %s", n.Name)
}

// DropLB moves a tier to the built-in offering without load balancing, which ends its rules. Only a root administrator
// may force that (UpdateNetworkCmd.java@4.20.3.0).
func (n *Network) DropLB() {
	offering := chooser{n.t}.chooseNetworkOffering("tier offering without load balancing", "", noLBOffering, true)
	n.t.with(func(r *Rule) bool { return r.Network == n }, "no load balancing in "+n.Name, func() error {
		_, err := n.t.Site.Cloud.UpdateNetworkOffering(n.t.Ctx, n.ID, offering, true)
		return err
	})
}

// noLBOffering is the tier offering without load balancing (NetworkOffering.java@4.20.0.0).
const noLBOffering = "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB"

// Update renames the network, which is what an update without another offering may change.
func (n *Network) Update() {
	defer n.t.Step("update of %s", n.Name)()
	n.doApart("updateNetwork", cloud.Params{"id": n.ID, "displaytext": n.Name + " updated"})
}

// Restart restarts the network.
func (n *Network) Restart(cleanup bool) {
	defer n.t.Step("restart of %s", n.Name)()
	n.do("restartNetwork", cloud.Params{"id": n.ID, "cleanup": cleanup})
	routing{n}.forget()
}

// Delete deletes the VPC, whose tiers must be gone.
func (v *VPC) Delete() {
	v.t.with(func(r *Rule) bool { return r.Network.VPC == v }, "delete "+v.Name,
		func() error { return v.Account.Cloud.DeleteVPC(v.t.Ctx, v.ID) })
	v.t.Must(v.t.removed(v.ID, nil), "noting the removal of %s", v.Name)
}

// Restart restarts the VPC; with cleanup its routers are made anew.
func (v *VPC) Restart(cleanup bool) {
	defer v.t.Step("restart of %s", v.Name)()
	v.t.Must(v.Account.Cloud.RestartVPC(v.t.Ctx, v.ID, cleanup), "restarting %s", v.Name)
	v.router = ""
}

// Routers are the names of the network's routers, running ones first; redundant ones are two.
func (n *Network) Routers() []string {
	var running, others []string
	for _, r := range (routing{n}).list() {
		if r.State == "Running" {
			running = append(running, r.Name)
		} else {
			others = append(others, r.Name)
		}
	}
	return append(running, others...)
}

// routing is the routers that serve a network.
type routing struct{ *Network }

func (n routing) list() []*cloud.Router {
	key, id := "networkid", n.ID
	if n.VPC != nil {
		key, id = "vpcid", n.VPC.ID
	}
	routers, err := n.t.Site.Cloud.ListRouters(n.t.Ctx, cloud.Params{key: id})
	n.t.Must(err, "listing the routers of %s", n.Name)
	return routers
}

func (n routing) id(name string) string {
	for _, r := range n.list() {
		if r.Name == name {
			return r.Id
		}
	}
	n.t.Inconclusive("router %s of %s is gone", name, n.Name)
	return ""
}

// StopRouter stops a router of the network.
func (n *Network) StopRouter(name string) {
	defer n.t.Step("stop router %s", name)()
	id := routing{n}.id(name)
	n.t.OnRemove("the stop of router "+name, func(ctx context.Context) error {
		_, err := n.t.Site.Cloud.StartRouter(ctx, id)
		return err
	})
	_, err := n.t.Site.Cloud.StopRouter(n.t.Ctx, id)
	n.t.Must(err, "stopping router %s", name)
	routing{n}.forget()
}

// StartRouter starts it again.
func (n *Network) StartRouter(name string) {
	defer n.t.Step("start router %s", name)()
	_, err := n.t.Site.Cloud.StartRouter(n.t.Ctx, routing{n}.id(name))
	n.t.Must(err, "starting router %s", name)
	routing{n}.forget()
}

// forget has the router looked for anew.
func (n routing) forget() {
	if n.VPC != nil {
		n.VPC.router = ""
	}
}

// VPCNamed creates a VPC of another offering than the usual one.
func (a *Account) VPCNamed(offering string) *VPC {
	c := a.t.choices()
	usual := c.vpcOffering
	defer func() { a.t.chosen.vpcOffering = usual }()
	offerings, err := a.t.Site.Cloud.ListVPCOfferings(a.t.Ctx, cloud.Params{"state": "Enabled"})
	a.t.Must(err, "listing VPC offerings")
	for _, o := range offerings {
		if o.Name == offering {
			a.t.chosen.vpcOffering = o.Id
			return a.VPC()
		}
	}
	a.t.Unsupported("the zone has no VPC offering %q", offering)
	return nil
}

// KeepAliveOffering creates a tier offering with keep-alive, and answers its id. CloudStack has no built-in one.
func (m Making) KeepAliveOffering() string {
	id := m.t.offeringOfTiers("keepalive", cloud.Params{"keepaliveenabled": "true"})
	m.t.keepAlive = append(m.t.keepAlive, id)
	return id
}

// OfferingFor creates a tier offering whose load balancers take so many connections, and answers its id.
func (m Making) OfferingFor(connections int) string {
	return m.t.offeringOfTiers("connections", cloud.Params{"maxconnections": connections})
}

// offeringOfTiers creates a tier offering with something that no built-in one has.
func (t *Cast) offeringOfTiers(what string, more cloud.Params) string {
	name := t.Unique(what)
	defer t.Step("tier offering with %s", what)()
	services := []string{"SourceNat", "Lb", "Dns", "NetworkACL", "Dhcp", "UserData"}
	p := cloud.Params{"name": name, "displaytext": name, "traffictype": "GUEST", "guestiptype": "Isolated",
		"forvpc": "true", "conservemode": "false", "supportedservices": services}
	maps.Copy(p, more)
	for i, s := range services {
		p[key("serviceProviderList", i, "service")], p[key("serviceProviderList", i, "provider")] = s,
			"VpcVirtualRouter"
	}
	var answer struct{ NetworkOffering struct{ ID string } }
	entry := t.intend("network offering", name, "")
	t.Must(t.Site.Cloud.Call(t.Ctx, "createNetworkOffering", p, &answer), "createNetworkOffering")
	id := answer.NetworkOffering.ID
	t.created(entry, id, 0)
	t.OnRemove("network offering "+name, func(ctx context.Context) error {
		return t.removed(id, t.Site.Cloud.Call(ctx, "deleteNetworkOffering", cloud.Params{"id": id}, nil))
	})
	t.Must(t.Site.Cloud.Call(t.Ctx, "updateNetworkOffering", cloud.Params{"id": id, "state": "Enabled"}, nil),
		"updateNetworkOffering")
	return id
}

// networkShutdown is how long the garbage collection of networks may take: twice network.gc.wait and
// network.gc.interval by their defaults.
const networkShutdown = 40 * time.Minute

// AwaitShutdown waits until the network, which has no running VM, is shut down.
func (n *Network) AwaitShutdown() {
	defer n.t.Step("until %s is shut down", n.Name)()
	n.t.Until("the shutdown of "+n.Name, networkShutdown, time.Minute, func() (bool, string) {
		found, err := n.Account.Cloud.ListNetworks(n.t.Ctx, cloud.Params{"id": n.ID})
		n.t.Must(err, "listing %s", n.Name)
		if len(found) != 1 {
			return false, "it is not listed"
		}
		return found[0].State == "Allocated", "it is " + found[0].State
	})
}
