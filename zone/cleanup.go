package zone

import (
	"context"
	"errors"
	"slices"
	"time"
)

// removeAccount removes an account with everything it owns, in CloudStack's order: users, autoscale groups, VMs, networks,
// VPCs, addresses, then the autoscale leftovers (facts: cloudstack.md 1.3). What cannot be removed is tried again by the
// background cleanup; the account counts as removed at once.
func (z *Zone) removeAccount(ctx context.Context, a *Account) error {
	a.Removed, a.State = z.now(), "removed"
	for _, u := range z.users {
		if u.Account == a {
			u.Removed, u.State = z.now(), "removed"
		}
	}
	if err := z.update(ctx, "cloud.account", a.ID, obj{"removed": a.Removed, "state": a.State, "cleanup_needed": 1}); err != nil {
		return err
	}
	z.cleanupAccount(ctx, a)
	return nil
}

// accountCleanupInterval is account.cleanup.interval of the simulator zone.
const accountCleanupInterval = 20 * time.Second

func (z *Zone) cleanupAccount(ctx context.Context, a *Account) {
	if err := z.removeOwned(ctx, a); err != nil {
		z.log.Warn("cleaning up an account; it will be tried again", "account", a.Name, "err", err)
		z.at(z.now().Add(accountCleanupInterval), "cleanup of account "+a.Name, func(ctx context.Context) { z.cleanupAccount(ctx, a) })
		return
	}
	if err := z.update(ctx, "cloud.account", a.ID, obj{"cleanup_needed": 0}); err != nil {
		z.log.Error("cleaning up an account", "account", a.Name, "err", err)
	}
}

func (z *Zone) removeOwned(ctx context.Context, a *Account) error {
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	for _, g := range slices.Clone(z.groups) {
		if g.Account == a && g.Removed.IsZero() {
			try(z.deleteGroupWithCleanup(ctx, g))
		}
	}
	for _, vm := range slices.Clone(z.vms) {
		if vm.Account == a && vm.Removed.IsZero() {
			try(z.expungeVM(ctx, vm))
		}
	}
	for _, v := range slices.Clone(z.volumes) {
		if v.Account == a && v.Removed.IsZero() {
			try(z.deleteVolume(ctx, v))
		}
	}
	for _, u := range slices.Clone(z.vpnUsers) {
		if u.Account == a {
			try(z.removeVPNUser(ctx, u))
		}
	}
	for _, n := range slices.Clone(z.networks) {
		if n.Account == a && n.Removed.IsZero() {
			try(z.destroyNetwork(ctx, n))
		}
	}
	for _, v := range slices.Clone(z.vpcs) {
		if v.Account == a && v.Removed.IsZero() && !slices.ContainsFunc(z.networks, func(n *Network) bool { return n.VPC == v && n.Removed.IsZero() }) {
			try(z.destroyVPC(ctx, v))
		}
	}
	for _, one := range slices.Clone(z.addresses) {
		if one.Account == a {
			try(z.release(ctx, one))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, p := range z.profiles {
		if p.Account == a {
			try(z.update(ctx, "cloud.autoscale_vmprofiles", p.ID, obj{"removed": z.now()}))
		}
	}
	for _, p := range z.policies {
		if p.Account == a {
			try(z.update(ctx, "cloud.autoscale_policies", p.ID, obj{"removed": z.now()}))
		}
	}
	z.profiles = slices.DeleteFunc(z.profiles, func(p *ScaleProfile) bool { return p.Account == a })
	z.policies = slices.DeleteFunc(z.policies, func(p *ScalePolicy) bool { return p.Account == a })
	z.conditions = slices.DeleteFunc(z.conditions, func(p *Condition) bool { return p.Account == a })
	return errors.Join(errs...)
}
