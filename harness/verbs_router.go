package harness

import (
	"context"
	"errors"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// lbCommand is the agent command that carries a router's load balancing configuration.
const lbCommand = "LoadBalancerConfigCommand"

// FailPushes makes the next count pushes of the zone fail, through the API of the simulator hypervisor.
func (t *T) FailPushes(count int) *Fault { return t.fail("pushes", lbCommand, count) }

// FailStarts makes the next count starts of instances fail.
func (t *T) FailStarts(count int) *Fault { return t.fail("starts of instances", "StartCommand", count) }

// Fault is a fault of the simulator hypervisor that is set.
type Fault struct {
	t    *T
	mock *cloud.SimulatorMock
	name string
	all  int

	ended bool
}

func (t *T) fail(what, command string, count int) *Fault {
	defer t.step("the next %d %s fail", count, what)()
	f := &Fault{t: t, name: command, all: count}
	t.faulted = true
	t.onCleanup("taking back the simulator's fault", f.end)
	if t.site.Gate != nil {
		t.must(t.site.Gate.Alone(t.ctx), "waiting until no other scenario works")
	}
	var err error
	f.mock, err = SetMock(t.ctx, t.site.Cloud, t.site.Ledger, t.choices().zone, command, "result:fail", count)
	t.must(err, "configureSimulator %s", command)
	return f
}

// End takes the fault back before the scenario's end, so that the next one does not replace it.
func (f *Fault) End() {
	f.t.must(f.end(f.t.ctx), "taking back the simulator's fault")
}

// end takes the fault back, once, and lets other scenarios work again.
func (f *Fault) end(ctx context.Context) error {
	if f.ended {
		return nil
	}
	f.ended = true
	var errs []error
	if f.mock != nil {
		errs = append(errs, DropMock(ctx, f.t.site.Cloud, f.t.site.Ledger, f.mock.ID))
		f.mock = nil
	}
	if f.t.site.Gate != nil {
		errs = append(errs, f.t.site.Gate.Together(ctx))
	}
	return errors.Join(errs...)
}

// Met is how many commands have failed so far.
func (f *Fault) Met() int {
	now, err := f.t.site.Cloud.QuerySimulatorMock(f.t.ctx, f.mock.ID)
	f.t.must(err, "querySimulatorMock %d", f.mock.ID)
	return f.all - now.Count
}

// RequireMet makes sure that the fault was met: what did not fail shows nothing of failures.
func (f *Fault) RequireMet(count int) {
	if got := f.Met(); got != count {
		f.t.Inconclusive("%d %s met the fault that was set for them, want %d", got, f.name, count)
	}
	if f.t.site.Gate != nil && count == f.all {
		f.t.must(f.end(f.t.ctx), "taking back the simulator's fault")
	}
}

// Restart restarts the VPC; with cleanup its routers are made anew.
func (v *VPC) Restart(cleanup bool) {
	defer v.t.step("restart of %s", v.Name)()
	v.t.must(v.Cloud.RestartVPC(v.t.ctx, v.ID, cleanup), "restarting %s", v.Name)
	v.router = ""
}

// Routers are the names of the network's routers, running ones first; redundant ones are two.
func (n *Network) Routers() []string {
	var running, others []string
	for _, r := range n.routers() {
		if r.State == "Running" {
			running = append(running, r.Name)
		} else {
			others = append(others, r.Name)
		}
	}
	return append(running, others...)
}

func (n *Network) routers() []*cloud.Router {
	key, id := "networkid", n.ID
	if n.VPC != nil {
		key, id = "vpcid", n.VPC.ID
	}
	routers, err := n.t.site.Cloud.ListRouters(n.t.ctx, cloud.Params{key: id})
	n.t.must(err, "listing the routers of %s", n.Name)
	return routers
}

func (n *Network) routerID(name string) string {
	for _, r := range n.routers() {
		if r.Name == name {
			return r.Id
		}
	}
	n.t.Inconclusive("router %s of %s is gone", name, n.Name)
	return ""
}

// StopRouter stops a router of the network.
func (n *Network) StopRouter(name string) {
	defer n.t.step("stop router %s", name)()
	id := n.routerID(name)
	n.t.onRemove("the stop of router "+name, func(ctx context.Context) error {
		_, err := n.t.site.Cloud.StartRouter(ctx, id)
		return err
	})
	_, err := n.t.site.Cloud.StopRouter(n.t.ctx, id)
	n.t.must(err, "stopping router %s", name)
	n.forgetRouter()
}

// StartRouter starts it again.
func (n *Network) StartRouter(name string) {
	defer n.t.step("start router %s", name)()
	_, err := n.t.site.Cloud.StartRouter(n.t.ctx, n.routerID(name))
	n.t.must(err, "starting router %s", name)
	n.forgetRouter()
}

func (n *Network) forgetRouter() {
	if n.VPC != nil {
		n.VPC.router = ""
	}
}

// VPCNamed creates a VPC of another offering than the usual one.
func (a *Account) VPCNamed(offering string) *VPC {
	c := a.t.choices()
	usual := c.vpcOffering
	defer func() { a.t.site.chosen.vpcOffering = usual }()
	offerings, err := a.t.site.Cloud.ListVPCOfferings(a.t.ctx, cloud.Params{"state": "Enabled"})
	a.t.must(err, "listing VPC offerings")
	for _, o := range offerings {
		if o.Name == offering {
			a.t.site.chosen.vpcOffering = o.Id
			return a.VPC()
		}
	}
	a.t.Unsupported("the zone has no VPC offering %q", offering)
	return nil
}

// KeepAliveOffering creates a tier offering with keep-alive, and answers its id. CloudStack has no built-in one.
func (t *T) KeepAliveOffering() string {
	name := t.unique("keepalive")
	defer t.step("tier offering with keep-alive")()
	services := []string{"SourceNat", "Lb", "Dns", "NetworkACL", "Dhcp", "UserData"}
	p := cloud.Params{"name": name, "displaytext": name, "traffictype": "GUEST", "guestiptype": "Isolated", "forvpc": "true",
		"conservemode": "false", "supportedservices": services, "keepaliveenabled": "true"}
	for i, s := range services {
		p[key("serviceProviderList", i, "service")], p[key("serviceProviderList", i, "provider")] = s, "VpcVirtualRouter"
	}
	var answer struct{ NetworkOffering struct{ ID string } }
	entry := t.intend("network offering", name, "")
	t.must(t.site.Cloud.Call(t.ctx, "createNetworkOffering", p, &answer), "createNetworkOffering")
	id := answer.NetworkOffering.ID
	t.created(entry, id, 0)
	t.onRemove("network offering "+name, func(ctx context.Context) error {
		return t.removed(id, t.site.Cloud.Call(ctx, "deleteNetworkOffering", cloud.Params{"id": id}, nil))
	})
	t.must(t.site.Cloud.Call(t.ctx, "updateNetworkOffering", cloud.Params{"id": id, "state": "Enabled"}, nil), "updateNetworkOffering")
	return id
}

// TierOf creates a tier with an offering of one's own.
func (v *VPC) TierOf(offering string) *Network {
	c := v.t.choices()
	usual := c.tierOffering
	defer func() { v.t.site.chosen.tierOffering = usual }()
	v.t.site.chosen.tierOffering = offering
	return v.Tier()
}

// PassSeconds lets the target's time go by.
func (t *T) PassSeconds(n int) {
	t.must(t.site.Clock.Pass(t.ctx, time.Duration(n)*time.Second), "letting %d s pass", n)
}
