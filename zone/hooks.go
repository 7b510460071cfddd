package zone

import (
	"context"
	"net/netip"
	"slices"
)

// netHooks are what networks, addresses and routers ask of higher rooms.
type netHooks struct {
	// ruled says whether any rule is on an address, balanced whether a load balancer rule is.
	ruled, balanced func(a *Address) bool
	// inUse says whether an instance has a NIC in a network; running leaves out stopped and destroyed ones.
	inUse func(n *Network, running bool) bool
	// serviceInUse says whether a network has rules of the service Lb or PortForwarding, dropService removes them.
	serviceInUse func(n *Network, service string) bool
	dropService  func(ctx context.Context, n *Network, service string) error
	// releaseAddress and releaseNetwork remove every rule of what goes.
	releaseAddress   func(ctx context.Context, a *Address) error
	releaseNetwork   func(ctx context.Context, n *Network) error
	destroyBalancers func(ctx context.Context, n *Network) error
	// push sends a network's load balancing to its routers, pushRouter to one of them, started to one that has started.
	push       func(ctx context.Context, n *Network) error
	pushRouter func(ctx context.Context, r *Router, n *Network) error
	started    func(ctx context.Context, r *Router) error
}

// computeHooks are what instances ask of higher rooms.
type computeHooks struct {
	// taken lists addresses of a network that no instance has and that are not free.
	taken func(n *Network) []netip.Addr
	// guard refuses to change a member of a group that scales.
	guard func(vm *VM) error
	// leaveRules, leaveAddresses and expunged take an instance that goes out of its load balancers, off its addresses, and out of
	// its group.
	leaveRules, leaveAddresses func(ctx context.Context, vm *VM) error
	expunged                   func(ctx context.Context, vm *VM)
}

// firewallHooks are what rules ask of load balancing.
type firewallHooks struct {
	// balanced lists the load balancer rules of an address.
	balanced func(a *Address) []*rule
}

// lbHooks are what load balancing asks of autoscale.
type lbHooks struct {
	// guard refuses to unmap a member of a group that scales.
	guard func(vm *VM) error
	// left tells that a VM left a rule.
	left func(ctx context.Context, r *LBRule, vm *VM)
}

// connect gives the rooms their hooks.
func (z *Zone) connect() {
	z.tenancyHooks = tenancyHooks{used: z.used, vms: z.vmStates, remove: z.removeAccount}
	z.netHooks = netHooks{
		ruled:    func(a *Address) bool { return len(z.rulesOnAddress(a)) > 0 },
		balanced: func(a *Address) bool { return len(z.balancedOn(a)) > 0 },
		inUse:    z.networkInUse,
		serviceInUse: func(n *Network, service string) bool {
			return service == "Lb" && z.balances(n) || service == "PortForwarding" && z.forwards(n)
		},
		dropService: func(ctx context.Context, n *Network, service string) error {
			if service == "Lb" {
				return z.dropBalancing(ctx, n)
			}
			return z.dropForwarding(ctx, n)
		},
		releaseAddress: z.releaseAddressRules, releaseNetwork: z.releaseNetworkRules, destroyBalancers: z.destroyBalancers,
		push:       z.pushNetwork,
		pushRouter: func(ctx context.Context, r *Router, n *Network) error { return z.pushRouter(ctx, r, n, false) },
		started:    z.pushStart,
	}
	z.computeHooks = computeHooks{
		taken: z.internalAddresses, guard: z.guardMember, leaveRules: z.removeVMFromRules,
		leaveAddresses: func(ctx context.Context, vm *VM) error {
			if err := z.removePFOfVM(ctx, vm); err != nil {
				return err
			}
			return z.dropStaticNATOf(ctx, vm)
		},
		expunged: z.expunged,
	}
	z.firewallHooks = firewallHooks{balanced: z.balancedOn}
	z.lbHooks = lbHooks{guard: z.guardMember, left: z.leftRule}
}

// networkInUse says whether an instance has a NIC in a network; running leaves out stopped and destroyed ones.
func (z *Zone) networkInUse(n *Network, running bool) bool {
	return slices.ContainsFunc(z.vms, func(vm *VM) bool {
		return vm.Removed.IsZero() && nicIn(vm, n) != nil && !(running && (vm.State == "Stopped" || vm.State == "Destroyed"))
	})
}

// balancedOn lists the load balancer rules of an address.
func (z *Zone) balancedOn(a *Address) []*rule {
	var rules []*rule
	for _, r := range z.lbRules {
		if r.Address == a {
			rules = append(rules, &r.rule)
		}
	}
	return rules
}

func (z *Zone) balances(n *Network) bool {
	return slices.ContainsFunc(z.lbRules, func(r *LBRule) bool { return r.Network == n })
}

// dropBalancing deletes all load balancer rules of a network that loses the service.
func (z *Zone) dropBalancing(ctx context.Context, n *Network) error {
	return z.revokeLB(withRelease(ctx), rulesWhere(z.lbRules, func(r *LBRule) bool { return r.Network == n }))
}

// internalAddresses are the addresses of internal load balancer rules in a network.
func (z *Zone) internalAddresses(n *Network) []netip.Addr {
	var taken []netip.Addr
	for _, r := range z.lbRules {
		if r.Internal && r.Network == n {
			taken = append(taken, r.Address.IP)
		}
	}
	return taken
}

func (z *Zone) forwards(n *Network) bool {
	return slices.ContainsFunc(z.pfRules, func(r *PFRule) bool { return r.Network == n })
}

// dropForwarding deletes all port forwarding rules of a network that loses the service.
func (z *Zone) dropForwarding(ctx context.Context, n *Network) error {
	for _, pf := range slices.Clone(z.pfRules) {
		if pf.Network == n {
			if err := z.removePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropStaticNATOf ends static NAT on the addresses that lead to a VM.
func (z *Zone) dropStaticNATOf(ctx context.Context, vm *VM) error {
	for _, a := range z.addresses {
		if a.StaticVM == vm {
			if err := z.dropStaticNAT(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}
