package net

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// ensureRouters makes the routers of a VPC or of an isolated network exist and run: two for a redundant VPC.
func (mgr *Manager) ensureRouters(ctx context.Context, v *VPC, n *Network) error {
	want := 1
	if v != nil && v.redundant() {
		want = 2
	}
	var have []*Router
	for _, r := range mgr.Routers.All() {
		if v != nil && r.VPC == v || n != nil && r.Network == n {
			have = append(have, r)
		}
	}
	for i := len(have); i < want; i++ {
		r, err := mgr.newRouter(ctx, v, n)
		if err != nil {
			return err
		}
		if want > 1 {
			r.Redundant = []string{"PRIMARY", "BACKUP"}[i]
		}
		have = append(have, r)
	}
	for _, r := range have {
		if err := mgr.startRouter(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// newRouter inserts a router: a VM row as any other, so that VM ids are shared with instances.
func (mgr *Manager) newRouter(ctx context.Context, v *VPC, n *Network) (*Router, error) {
	r := &Router{UUID: mgr.UUID(), VPC: v, Network: n, State: "Stopped", Host: mgr.Hosts[mgr.Number(len(mgr.Hosts))],
		NICUUID: mgr.UUID(), Created: mgr.Now()}
	owner, public := routerOwner(mgr, r), sourceIP(mgr, v, n)
	if public != nil {
		r.PublicIP = public.IP
	}
	id, err := mgr.Insert(ctx, "cloud.vm_instance", obj{
		"name": "", "uuid": r.UUID, "instance_name": "", "state": r.State, "guest_os_id": 15,
		"data_center_id": kernel.ZoneID,
		"vm_template_id": mgr.Site.RouterTemplate.ID, "vnc_password": "", "created": r.Created,
		"type": "DomainRouter", "vm_type": "DomainRouter",
		"account_id": owner.ID, "domain_id": owner.Domain.ID, "service_offering_id": mgr.Site.RouterOffering.ID,
		"hypervisor_type": "Simulator",
	})
	if err != nil {
		return nil, err
	}
	mgr.NextID("cloud.volumes") // its root disk
	r.ID, r.Name = id, fmt.Sprintf("r-%d-VM", id)
	mgr.Routers.Add(r)
	return r, mgr.Update(ctx, "cloud.vm_instance", id, obj{"name": r.Name, "instance_name": r.Name})
}

func sourceIP(mgr *Manager, v *VPC, n *Network) *Address {
	for _, a := range mgr.Addresses.All() {
		if a.SourceNAT && (v != nil && a.VPC == v || n != nil && a.VPC == nil && a.Network == n) {
			return a
		}
	}
	return nil
}

// Blocked says whether a running router of the network still holds a balancing configuration that it refused: its
// scripts write that one first, whatever they are run for, and end there (configure.py@4.22.0.0, IpTablesExecutor).
func (mgr *Manager) Blocked(n *Network) bool {
	return mgr.On(release.RefusedConfigBlocksRouter) && slices.ContainsFunc(mgr.RoutersOf(n), func(r *Router) bool {
		return r.State == "Running" && r.Holds
	})
}

// SetRouter changes a router's state and tells whoever runs the real one. The zone's lock is released meanwhile.
func (mgr *Manager) SetRouter(ctx context.Context, r *Router, state string) error {
	r.State = state
	if err := mgr.Update(ctx, "cloud.vm_instance", r.ID, obj{"state": state, "host_id": r.Host.ID,
		"update_time": mgr.Now()}); err != nil {
		return err
	}
	if mgr.Pushes == nil {
		return nil
	}
	mgr.Unlock()
	err := mgr.Pushes.RouterState(ctx, r.Name, state)
	mgr.Lock()
	if err != nil {
		return api.Internal("router %s: %v", r.Name, err)
	}
	return nil
}

// startRouter starts a router that does not run; the whole configuration is sent to it in bulk.
func (mgr *Manager) startRouter(ctx context.Context, r *Router) error {
	if r.State == "Running" {
		return nil
	}
	link := mgr.NextID("link addresses")
	r.LinkIP = netip.AddrFrom4([4]byte{169, 254, byte(1 + link/200), byte(2 + link%200)})
	if err := mgr.SetRouter(ctx, r, "Running"); err != nil {
		r.State = "Stopped"
		return err
	}
	return mgr.Hooks.Started(ctx, r)
}

// restartRouter starts a router that ran before: its networks are implemented once more, which the old usage model
// shows.
func (mgr *Manager) restartRouter(ctx context.Context, r *Router) error {
	for _, n := range mgr.Implemented(r) {
		if err := mgr.Implement(ctx, n); err != nil {
			return err
		}
	}
	return mgr.startRouter(ctx, r)
}

func (mgr *Manager) destroyRouter(ctx context.Context, r *Router) error {
	if err := mgr.SetRouter(ctx, r, "Destroyed"); err != nil {
		return err
	}
	mgr.Routers.Remove(r)
	return mgr.Update(ctx, "cloud.vm_instance", r.ID, obj{"state": "Expunging", "removed": mgr.Now()})
}

// restartRouters is the restart of a VPC or network: with cleanup the routers are made anew, else a network's
// configuration is sent once more; a VPC's restart without cleanup leaves its running routers alone.
func (mgr *Manager) restartRouters(ctx context.Context, mine func(*Router) bool, cleanup bool,
	start func() error) error {
	var again []*Router
	for _, r := range slices.Clone(mgr.Routers.All()) {
		switch {
		case !mine(r):
		case cleanup:
			if err := mgr.destroyRouter(ctx, r); err != nil {
				return err
			}
		case r.State == "Running" && r.VPC == nil:
			again = append(again, r)
		}
	}
	if err := start(); err != nil {
		return err
	}
	for _, r := range again {
		if err := mgr.reapply(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// reapply sends a running router its rules again, network by network.
func (mgr *Manager) reapply(ctx context.Context, r *Router) error {
	for _, n := range mgr.Implemented(r) {
		if mgr.Hooks.ServiceInUse(n, "Lb") {
			if err := mgr.Hooks.PushRouter(ctx, r, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func routerCommands() []command {
	one := func(name, about, class, event, action, scheduled string, run func(*Manager, *kernel.Call,
		*Router) error) command {
		return command{
			Name: name, About: about, Class: kernel.AdminClasses + "router." + class, Kind: kernel.AsyncCommand,
			Admin: true, Instance: "DomainRouter",
			Event: event, Eventful: kernel.EventAsync, Action: action,
			Params: []param{{Name: "id", Type: "uuid:router", Required: true, About: "the ID of the router"}},
			Check: func(mgr *Manager, c *kernel.Call) error {
				r, err := RouterParam(mgr, c, "id")
				if err == nil {
					c.Owner, c.EventResource, c.EventResourceType = routerOwner(mgr, r), r.ID, "DomainRouter"
				}
				return err
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				r, err := RouterParam(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(mgr, c, r); err != nil {
					return nil, err
				}
				out := routerAnswer(mgr, r)
				out["jobid"], out["jobstatus"] = c.Job.UUID, 0
				return obj{"router": out}, nil
			},
			Sync:     func(mgr *Manager, c *kernel.Call) string { return "router:" + c.Str("id") },
			Describe: func(mgr *Manager, c *kernel.Call) string { return scheduled + ": " + c.Str("id") },
			Detail:   func(mgr *Manager, c *kernel.Call) string { return "Router Id: " + c.Str("id") },
		}
	}
	return []command{
		{
			Name: "listRouters", About: "List routers.", Admin: true,
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:router", About: "the ID of the disk router"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "List networks by VPC"},
				param{Name: "networkid", Type: "uuid:network", About: "list by network id"},
				param{Name: "state", Type: "string", About: "the state of the router"},
				param{Name: "name", Type: "string", About: "the name of the router"},
				param{Name: "zoneid", Type: "uuid:zone", About: "the Zone ID of the router"},
				param{Name: "forvpc", Type: "boolean", About: "if true is passed for this parameter, list only " +
					"VPC routers"},
				param{Name: "fetchhealthcheckresults", Type: "boolean", About: "if true is passed for this " +
					"parameter, also fetch last executed health check results for the router"}),
			Run: listRouters,
		},
		one("stopRouter", "Stops a router.", "StopRouterCmd", "ROUTER.STOP", "stopping router Vm", "Stopping "+
			"router", func(mgr *Manager, c *kernel.Call, r *Router) error {
			return mgr.SetRouter(c.Ctx, r,
				"Stopped")
		}),
		one("startRouter", "Starts a router.", "StartRouterCmd", "ROUTER.START", "starting router Vm",
			"starting router", func(mgr *Manager, c *kernel.Call, r *Router) error {
				return mgr.restartRouter(c.Ctx,
					r)
			}),
		one("rebootRouter", "Starts a router.", "RebootRouterCmd", "ROUTER.REBOOT", "rebooting router Vm",
			"rebooting router", func(mgr *Manager, c *kernel.Call, r *Router) error {
				if r.State != "Running" {
					return api.Invalid("Unable to reboot domR, it is not in right state %s", r.State)
				}
				if err := mgr.SetRouter(c.Ctx, r, "Stopped"); err != nil {
					return err
				}
				return mgr.restartRouter(c.Ctx, r)
			}),
		one("destroyRouter", "Destroys a router.", "DestroyRouterCmd", "ROUTER.DESTROY", "destroying router Vm",
			"destroying router", func(mgr *Manager, c *kernel.Call, r *Router) error {
				return mgr.destroyRouter(c.Ctx,
					r)
			}),
	}
}

func listRouters(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, r := range mgr.Routers.All() {
		if !tenancy.Visible(mgr.tenancy, c, routerOwner(mgr, r)) || c.Has("id") && c.Str("id") != r.UUID ||
			c.Differs("name", r.Name) ||
			c.Has("vpcid") && (r.VPC == nil || r.VPC.UUID != c.Str("vpcid")) || c.Has("state") &&
			c.Str("state") != r.State ||
			c.Has("forvpc") && c.Boolean("forvpc", false) != (r.VPC != nil) ||
			!kernel.Matches(c.Str("keyword"), r.Name) {
			continue
		}
		if u := c.Str("networkid"); u != "" && !slices.ContainsFunc(mgr.Implemented(r),
			func(n *Network) bool { return n.UUID == u }) {
			continue
		}
		out = append(out, routerAnswer(mgr, r))
	}
	return c.Page("router", out), nil
}
