package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// RemoveAccount removes an account with everything it owns, in CloudStack's order: users, autoscale groups, VMs,
// networks, VPCs, addresses, then the autoscale leftovers (facts: cloudstack.md 1.3). What cannot be removed is
// tried again by the background cleanup; the account counts as removed at once.
func (mgr *Manager) RemoveAccount(ctx context.Context, a *tenancy.Account) error {
	a.Removed, a.State = mgr.Now(), "removed"
	for _, u := range mgr.tenancy.Users.All() {
		if u.Account == a {
			u.Removed, u.State = mgr.Now(), "removed"
		}
	}
	if err := mgr.Update(ctx, "cloud.account", a.ID, obj{"removed": a.Removed, "state": a.State,
		"cleanup_needed": 1}); err != nil {
		return err
	}
	mgr.cleanupAccount(ctx, a)
	return nil
}

// Owns names what an account has that keeps its project from going: the first kind of machines, volumes that are not
// attached, networks and VPCs (ProjectManagerImpl.java@4.20.0.0, deleteProject).
func (mgr *Manager) Owns(a *tenancy.Account) string {
	var vms, volumes int64
	for _, vm := range mgr.compute.VMs.All() {
		if vm.Account == a && vm.Removed.IsZero() {
			vms++
		}
	}
	for _, v := range mgr.compute.Volumes.All() {
		if v.Account == a && v.Removed.IsZero() && v.VM == nil {
			volumes++
		}
	}
	for _, one := range []struct {
		count int64
		kind  string
	}{{vms, "VirtualMachine"}, {volumes, "Volume"}, {mgr.Used(a, tenancy.LimitNetwork), "Network"},
		{mgr.Used(a, tenancy.LimitVPC), "Vpc"}} {
		if one.count > 0 {
			return fmt.Sprintf("%d %s", one.count, one.kind)
		}
	}
	return ""
}

// accountCleanupInterval is account.cleanup.interval of the simulator zone.
const accountCleanupInterval = 20 * time.Second

func (mgr *Manager) cleanupAccount(ctx context.Context, a *tenancy.Account) {
	if err := mgr.removeOwned(ctx, a); err != nil {
		mgr.Log.Warn("cleaning up an account; it will be tried again", "account", a.Name, "err", err)
		mgr.At(mgr.Now().Add(accountCleanupInterval), "cleanup of account "+a.Name,
			func(ctx context.Context) { mgr.cleanupAccount(ctx, a) })
		return
	}
	if err := mgr.Update(ctx, "cloud.account", a.ID, obj{"cleanup_needed": 0}); err != nil {
		mgr.Log.Error("cleaning up an account", "account", a.Name, "err", err)
	}
}

func (mgr *Manager) removeOwned(ctx context.Context, a *tenancy.Account) error {
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	for _, g := range slices.Clone(mgr.autoscale.Groups.All()) {
		if g.Account == a && g.Removed.IsZero() {
			try(mgr.autoscale.DeleteGroupWithCleanup(ctx, g))
		}
	}
	for _, vm := range slices.Clone(mgr.compute.VMs.All()) {
		if vm.Account == a && vm.Removed.IsZero() {
			try(mgr.compute.ExpungeVM(ctx, vm))
		}
	}
	for _, v := range slices.Clone(mgr.compute.Volumes.All()) {
		if v.Account == a && v.Removed.IsZero() {
			try(mgr.compute.DeleteVolume(ctx, v))
		}
	}
	for _, u := range slices.Clone(mgr.net.VPNUsers.All()) {
		if u.Account == a {
			try(mgr.net.RemoveVPNUser(ctx, u))
		}
	}
	for _, n := range slices.Clone(mgr.net.Networks.All()) {
		if n.Account == a && n.Removed.IsZero() {
			try(mgr.net.DestroyNetwork(ctx, n))
		}
	}
	for _, v := range slices.Clone(mgr.net.VPCs.All()) {
		if v.Account == a && v.Removed.IsZero() && !slices.ContainsFunc(mgr.net.Networks.All(),
			func(n *net.Network) bool { return n.VPC == v && n.Removed.IsZero() }) {
			try(mgr.net.DestroyVPC(ctx, v))
		}
	}
	for _, one := range slices.Clone(mgr.net.Addresses.All()) {
		if one.Account == a {
			try(mgr.net.Release(ctx, one))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, p := range mgr.autoscale.Profiles.All() {
		if p.Account == a {
			try(mgr.Update(ctx, "cloud.autoscale_vmprofiles", p.ID, obj{"removed": mgr.Now()}))
			mgr.autoscale.Profiles.Remove(p)
		}
	}
	for _, p := range mgr.autoscale.Policies.All() {
		if p.Account == a {
			try(mgr.Update(ctx, "cloud.autoscale_policies", p.ID, obj{"removed": mgr.Now()}))
			mgr.autoscale.Policies.Remove(p)
		}
	}
	for _, k := range mgr.autoscale.Conditions.All() {
		if k.Account == a {
			mgr.autoscale.Conditions.Remove(k)
		}
	}
	return errors.Join(errs...)
}
