package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

// ensureRouters makes the routers of a VPC or of an isolated network exist and run: two for a redundant VPC.
func (z *Zone) ensureRouters(ctx context.Context, v *VPC, n *Network) error {
	want := 1
	if v != nil && v.redundant() {
		want = 2
	}
	var have []*Router
	for _, r := range z.routers {
		if v != nil && r.VPC == v || n != nil && r.Network == n {
			have = append(have, r)
		}
	}
	for i := len(have); i < want; i++ {
		r, err := z.newRouter(ctx, v, n)
		if err != nil {
			return err
		}
		if want > 1 {
			r.Redundant = []string{"PRIMARY", "BACKUP"}[i]
		}
		have = append(have, r)
	}
	for _, r := range have {
		if err := z.startRouter(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// newRouter inserts a router: a VM row as any other, so that VM ids are shared with instances.
func (z *Zone) newRouter(ctx context.Context, v *VPC, n *Network) (*Router, error) {
	r := &Router{UUID: z.uuid(), VPC: v, Network: n, State: "Stopped", Host: z.hosts[z.number(len(z.hosts))], NICUUID: z.uuid(), Created: z.now()}
	owner, public := z.routerOwner(r), z.sourceIP(v, n)
	if public != nil {
		r.PublicIP = public.IP
	}
	id, err := z.insert(ctx, "cloud.vm_instance", obj{
		"name": "", "uuid": r.UUID, "instance_name": "", "state": r.State, "guest_os_id": 15, "data_center_id": zoneID,
		"vm_template_id": z.site.RouterTemplate.ID, "vnc_password": "", "created": r.Created, "type": "DomainRouter", "vm_type": "DomainRouter",
		"account_id": owner.ID, "domain_id": owner.Domain.ID, "service_offering_id": z.site.RouterOffering.ID, "hypervisor_type": "Simulator",
	})
	if err != nil {
		return nil, err
	}
	z.ids["cloud.volumes"]++ // its root disk
	r.ID, r.Name = id, fmt.Sprintf("r-%d-VM", id)
	z.routers = append(z.routers, r)
	return r, z.update(ctx, "cloud.vm_instance", id, obj{"name": r.Name, "instance_name": r.Name})
}

func (z *Zone) sourceIP(v *VPC, n *Network) *Address {
	for _, a := range z.addresses {
		if a.SourceNAT && (v != nil && a.VPC == v || n != nil && a.VPC == nil && a.Network == n) {
			return a
		}
	}
	return nil
}

// setRouter changes a router's state and tells whoever runs the real one. The zone's lock is released meanwhile.
func (z *Zone) setRouter(ctx context.Context, r *Router, state string) error {
	r.State = state
	if err := z.update(ctx, "cloud.vm_instance", r.ID, obj{"state": state, "host_id": r.Host.ID, "update_time": z.now()}); err != nil {
		return err
	}
	if z.pushes == nil {
		return nil
	}
	z.mu.Unlock()
	err := z.pushes.RouterState(ctx, r.Name, state)
	z.mu.Lock()
	if err != nil {
		return api.Internal("router %s: %v", r.Name, err)
	}
	return nil
}

// startRouter starts a router that does not run; the whole configuration is sent to it in bulk.
func (z *Zone) startRouter(ctx context.Context, r *Router) error {
	if r.State == "Running" {
		return nil
	}
	z.ids["link addresses"]++ // each start takes another one
	link := z.ids["link addresses"]
	r.LinkIP = netip.AddrFrom4([4]byte{169, 254, byte(1 + link/200), byte(2 + link%200)})
	if err := z.setRouter(ctx, r, "Running"); err != nil {
		r.State = "Stopped"
		return err
	}
	return z.netHooks.started(ctx, r)
}

// restartRouter starts a router that ran before: its networks are implemented once more, which the old usage model shows.
func (z *Zone) restartRouter(ctx context.Context, r *Router) error {
	for _, n := range z.implemented(r) {
		if err := z.implement(ctx, n); err != nil {
			return err
		}
	}
	return z.startRouter(ctx, r)
}

func (z *Zone) destroyRouter(ctx context.Context, r *Router) error {
	if err := z.setRouter(ctx, r, "Destroyed"); err != nil {
		return err
	}
	z.routers = slices.DeleteFunc(z.routers, func(o *Router) bool { return o == r })
	return z.update(ctx, "cloud.vm_instance", r.ID, obj{"state": "Expunging", "removed": z.now()})
}

// restartRouters is the restart of a VPC or network: with cleanup the routers are made anew, else a network's configuration
// is sent once more; a VPC's restart without cleanup leaves its running routers alone.
func (z *Zone) restartRouters(ctx context.Context, mine func(*Router) bool, cleanup bool, start func() error) error {
	var again []*Router
	for _, r := range slices.Clone(z.routers) {
		switch {
		case !mine(r):
		case cleanup:
			if err := z.destroyRouter(ctx, r); err != nil {
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
		if err := z.reapply(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// reapply sends a running router its rules again, network by network.
func (z *Zone) reapply(ctx context.Context, r *Router) error {
	for _, n := range z.implemented(r) {
		if z.netHooks.serviceInUse(n, "Lb") {
			if err := z.netHooks.pushRouter(ctx, r, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (z *Zone) routerCommands() []command {
	one := func(name, about, class, event, action, scheduled string, run func(*Zone, *call, *Router) error) command {
		return command{
			name: name, about: about, class: adminClasses + "router." + class, kind: asyncCommand, admin: true, instance: "DomainRouter",
			event: event, eventful: eventAsync, action: action, params: []param{{"id", "uuid:router", true, "the ID of the router"}},
			check: func(z *Zone, c *call) error {
				r, err := routerParam(z, c, "id")
				if err == nil {
					c.owner, c.eventResource, c.eventResourceType = z.routerOwner(r), r.ID, "DomainRouter"
				}
				return err
			},
			run: func(z *Zone, c *call) (obj, error) {
				r, err := routerParam(z, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(z, c, r); err != nil {
					return nil, err
				}
				out := z.routerAnswer(r)
				out["jobid"], out["jobstatus"] = c.job.uuid, 0
				return obj{"router": out}, nil
			},
			sync:     func(z *Zone, c *call) string { return "router:" + c.str("id") },
			describe: func(z *Zone, c *call) string { return scheduled + ": " + c.str("id") },
			detail:   func(z *Zone, c *call) string { return "Router Id: " + c.str("id") },
		}
	}
	return []command{
		{
			name: "listRouters", about: "List routers.", admin: true,
			params: listParams(param{"id", "uuid:router", false, "the ID of the disk router"}, param{"vpcid", "uuid:vpc", false, "List networks by VPC"},
				param{"networkid", "uuid:network", false, "list by network id"}, param{"state", "string", false, "the state of the router"},
				param{"name", "string", false, "the name of the router"}, param{"zoneid", "uuid:zone", false, "the Zone ID of the router"},
				param{"forvpc", "boolean", false, "if true is passed for this parameter, list only VPC routers"},
				param{"fetchhealthcheckresults", "boolean", false, "if true is passed for this parameter, also fetch last executed health check results for the router"}),
			run: listRouters,
		},
		one("stopRouter", "Stops a router.", "StopRouterCmd", "ROUTER.STOP", "stopping router Vm", "Stopping router", func(z *Zone, c *call, r *Router) error { return z.setRouter(c.ctx, r, "Stopped") }),
		one("startRouter", "Starts a router.", "StartRouterCmd", "ROUTER.START", "starting router Vm", "starting router", func(z *Zone, c *call, r *Router) error { return z.restartRouter(c.ctx, r) }),
		one("rebootRouter", "Starts a router.", "RebootRouterCmd", "ROUTER.REBOOT", "rebooting router Vm", "rebooting router", func(z *Zone, c *call, r *Router) error {
			if r.State != "Running" {
				return api.Invalid("Unable to reboot domR, it is not in right state %s", r.State)
			}
			if err := z.setRouter(c.ctx, r, "Stopped"); err != nil {
				return err
			}
			return z.restartRouter(c.ctx, r)
		}),
		one("destroyRouter", "Destroys a router.", "DestroyRouterCmd", "ROUTER.DESTROY", "destroying router Vm", "destroying router", func(z *Zone, c *call, r *Router) error { return z.destroyRouter(c.ctx, r) }),
	}
}

func listRouters(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, r := range z.routers {
		if !visible(z, c, z.routerOwner(r)) || c.has("id") && c.str("id") != r.UUID || c.has("name") && c.str("name") != r.Name ||
			c.has("vpcid") && (r.VPC == nil || r.VPC.UUID != c.str("vpcid")) || c.has("state") && c.str("state") != r.State ||
			c.has("forvpc") && c.boolean("forvpc", false) != (r.VPC != nil) || !matches(c.str("keyword"), r.Name) {
			continue
		}
		if u := c.str("networkid"); u != "" && !slices.ContainsFunc(z.implemented(r), func(n *Network) bool { return n.UUID == u }) {
			continue
		}
		out = append(out, z.routerAnswer(r))
	}
	return c.page("router", out), nil
}
