package zone

import (
	"context"

	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/site"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// connect gives the rooms their hooks.
func (z *Zone) connect() {
	z.tenancy.Hooks = tenancy.Hooks{Used: z.site.Used, VMs: z.site.VMStates, Remove: z.site.RemoveAccount,
		Owns: z.site.Owns}
	z.net.Hooks = net.Hooks{
		Ruled:    func(a *net.Address) bool { return len(z.firewall.RulesOnAddress(a)) > 0 },
		Balanced: func(a *net.Address) bool { return len(z.lb.BalancedOn(a)) > 0 },
		InUse:    z.compute.NetworkInUse,
		ServiceInUse: func(n *net.Network, service string) bool {
			return service == "Lb" && z.lb.Balances(n) || service == "PortForwarding" && z.firewall.Forwards(n)
		},
		DropService: func(ctx context.Context, n *net.Network, service string) error {
			if service == "Lb" {
				return z.lb.DropBalancing(ctx, n)
			}
			return z.firewall.DropForwarding(ctx, n)
		},
		ReleaseAddress: z.lb.ReleaseAddressRules, ReleaseNetwork: z.lb.ReleaseNetworkRules,
		DestroyBalancers: z.push.DestroyBalancers,
		Push: func(ctx context.Context, n *net.Network) error {
			return z.push.PushNetwork(ctx, n,
				push.Cause{})
		},
		PushRouter: func(ctx context.Context, r *net.Router, n *net.Network) error {
			return z.push.PushRouter(ctx, r, n, push.Cause{}, false)
		},
		Started: z.push.PushStart,
	}
	z.compute.Hooks = compute.Hooks{
		Balanced: z.lb.HoldsAddress,
		Taken:    z.lb.InternalAddresses, Guard: z.faults.Guard(z.autoscale.GuardMember),
		LeaveRules: z.faults.LeaveRules(z.lb.RemoveVMFromRules),
		LeaveAddresses: func(ctx context.Context, vm *compute.VM) error {
			if err := z.firewall.RemovePFOfVM(ctx, vm); err != nil {
				return err
			}
			return z.firewall.DropStaticNATOf(ctx, vm)
		},
		Expunged: z.autoscale.Expunged,
	}
	z.firewall.Hooks = firewall.Hooks{Balanced: z.lb.BalancedOn}
	z.lb.Hooks = lb.Hooks{Bound: z.faults.Bound(lb.Scaled), Guard: z.faults.Guard(z.autoscale.GuardMember),
		Replaced: z.faults.Replaced(lb.Replaced), Left: z.autoscale.LeftRule}
	z.autoscale.Hooks = z.faults.Scaling(autoscale.Sound())
	z.site.Hooks = site.Hooks{Upgraded: z.faults.Upgraded, Repair: z.faults.Repair(site.RepairStatement)}
}
