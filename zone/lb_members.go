package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// wanted is one VM that assign or remove names, with the addresses that vmidipmap gives; none means the primary one for
// assign and all for remove.
type wanted struct {
	vm  *VM
	ips []netip.Addr
}

// wantedMembers reads virtualmachineids and vmidipmap, in the order in which a Java HashMap of the internal ids would
// give them: that is the order of the mapping rows, and so of the destinations in a push.
func wantedMembers(z *Zone, c *call) ([]wanted, error) {
	byVM := map[*VM][]netip.Addr{}
	var order []*VM
	add := func(vm *VM, ip netip.Addr) {
		if _, known := byVM[vm]; !known {
			order = append(order, vm)
		}
		ips := byVM[vm]
		if ip.IsValid() {
			ips = append(ips, ip)
		}
		byVM[vm] = ips
	}
	for _, e := range c.entries("vmidipmap") {
		vm := z.vmByUUID(e["vmid"])
		if vm == nil {
			return nil, api.Invalid("Unable to find virtual machine ID: %s", e["vmid"])
		}
		var ip netip.Addr
		if text := e["vmip"]; text != "" || c.cmd.name == "assignToLoadBalancerRule" {
			var err error
			if ip, err = netip.ParseAddr(text); err != nil {
				return nil, api.Invalid("Invalid ip address %s passed in vmidipmap for vmid %d", text, vm.ID)
			}
		}
		add(vm, ip)
	}
	for _, u := range c.list("virtualmachineids") {
		vm := z.vmByUUID(u)
		if vm == nil {
			return nil, c.badEntity("virtualmachineids", u)
		}
		given := byVM[vm]
		add(vm, netip.Addr{})
		if c.cmd.name == "assignToLoadBalancerRule" && len(given) > 0 {
			byVM[vm] = append(byVM[vm], netip.Addr{}) // the primary address as well
		}
	}
	if len(order) == 0 {
		return nil, api.Invalid("Both instanceids and vmidipmap  can't be null")
	}
	hashOrder(order)
	out := make([]wanted, 0, len(order))
	for _, vm := range order {
		out = append(out, wanted{vm, byVM[vm]})
	}
	return out, nil
}

// hashOrder sorts VMs as java.util.HashMap iterates over their ids: by bucket, the table doubling at three quarters.
func hashOrder(vms []*VM) {
	buckets := int64(16)
	for int64(len(vms))*4 > buckets*3 {
		buckets *= 2
	}
	slices.SortStableFunc(vms, func(a, b *VM) int { return int(a.ID&(buckets-1) - b.ID&(buckets-1)) })
}

// assignToRule is the job of assignToLoadBalancerRule. Whatever is wrong, the release answers one text
// (AssignToLoadBalancerRuleCmd@4.20.0.0).
func assignToRule(z *Zone, c *call) (obj, error) {
	failed := &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to assign load balancer rule"}
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	members, err := wantedMembers(z, c)
	if err != nil {
		return nil, err
	}
	if r.Group != nil && !z.knobs[fault.AssignGuardMissing] {
		return nil, failed
	}
	if err := z.assign(c.ctx, r, members); err != nil {
		z.log.Debug("assigning to a load balancer", "rule", r.ID, "err", err)
		return nil, failed
	}
	return obj{"success": true}, nil
}

// assign maps VMs to a rule and pushes. A failed push takes all mappings of these VMs back.
func (z *Zone) assign(ctx context.Context, r *LBRule, members []wanted) error {
	for i := range members {
		ips, err := z.checkMember(r, members[i])
		if err != nil {
			return err
		}
		members[i].ips = ips
	}
	for _, w := range members {
		for _, ip := range w.ips {
			m := &Member{VM: w.vm, IP: ip}
			id, err := z.insert(ctx, "cloud.load_balancer_vm_map", obj{
				"load_balancer_id": r.ID, "instance_id": w.vm.ID, "revoke": 0, "instance_ip": ip.String(),
			})
			if err != nil {
				return err
			}
			m.ID = id
			r.Members = append(r.Members, m)
		}
	}
	state := r.State
	if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
		return err
	}
	err := z.applyRule(withCause(ctx, causeMembers, r), r)
	if !unavailable(err) {
		return err
	}
	for _, m := range slices.Clone(r.Members) {
		if slices.ContainsFunc(members, func(w wanted) bool { return w.vm == m.VM }) {
			if err := z.removeMember(ctx, r, m); err != nil {
				return err
			}
		}
	}
	if err := z.setRuleState(ctx, &r.rule, state); err != nil {
		return err
	}
	return fmt.Errorf("adding members to load balancer rule %d: %w", r.ID, err)
}

// checkMember answers the addresses to map.
func (z *Zone) checkMember(r *LBRule, w wanted) ([]netip.Addr, error) {
	if slices.Contains([]string{"Destroyed", "Expunging", "Error"}, w.vm.State) || !w.vm.Removed.IsZero() {
		return nil, api.Invalid("Invalid instance id specified")
	}
	if w.vm.Account != r.Account {
		return nil, permission("Acct[%s-%s] does not have permission to operate with resource", r.Account.UUID, r.Account.Name)
	}
	nic := nicIn(w.vm, r.Network)
	if nic == nil {
		return nil, api.Invalid("VM with id specified cannot be added because it doesn't belong in the same network.")
	}
	var ips []netip.Addr
	for _, ip := range w.ips {
		if !ip.IsValid() {
			ip = nic.IP
		}
		if ip != nic.IP {
			return nil, api.Invalid("VM ip %s specified does not belong to nic in network %d", ip, r.Network.ID)
		}
		if !slices.Contains(ips, ip) {
			ips = append(ips, ip)
		}
	}
	if len(ips) == 0 {
		ips = []netip.Addr{nic.IP}
	}
	for _, m := range r.Members {
		if m.VM == w.vm && !m.Revoke && slices.Contains(ips, m.IP) {
			return nil, api.Invalid("VM %d with %s is already mapped to load balancer.", w.vm.ID, m.IP)
		}
	}
	return ips, nil
}

// nicIn is the VM's interface in a network.
func nicIn(vm *VM, n *Network) *NIC {
	for _, nic := range vm.NICs {
		if nic.Network == n {
			return nic
		}
	}
	return nil
}

// removeFromRule is the job of removeFromLoadBalancerRule.
func removeFromRule(z *Zone, c *call) (obj, error) {
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	members, err := wantedMembers(z, c)
	if err != nil {
		return nil, err
	}
	for _, w := range members {
		if z.lbHooks.guard(w.vm) != nil || !mapped(r, w) {
			return nil, api.BadParameter("Failed to remove instance from load balancer rule")
		}
	}
	if err := z.unassign(c.ctx, r, members, true); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// mapped reports whether the rule has the addresses that vmidipmap names. A VM that is not mapped at all is no error.
func mapped(r *LBRule, w wanted) bool {
	for _, ip := range w.ips {
		if !slices.ContainsFunc(r.Members, func(m *Member) bool { return m.VM == w.vm && m.IP == ip }) {
			return false
		}
	}
	return true
}

// unassign marks mappings, pushes and removes them. Rolled back after a failed push, a mapping named by VM is restored;
// one named by address stays revoked, as the release's rollback sets the flag instead of clearing it (facts: cloudstack.md 3.1).
func (z *Zone) unassign(ctx context.Context, r *LBRule, members []wanted, rollback bool) error {
	state := r.State
	if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
		return err
	}
	marked, err := z.markMembers(ctx, r, members)
	if err != nil {
		return err
	}
	err = z.applyRule(withCause(ctx, causeMembers, r), r)
	if err == nil {
		z.leaveGroup(ctx, r, members)
		return nil
	}
	if !unavailable(err) {
		return err
	}
	if rollback {
		for _, m := range marked {
			if err := z.setMemberRevoke(ctx, m, false); err != nil {
				return err
			}
		}
		if err := z.setRuleState(ctx, &r.rule, state); err != nil {
			return err
		}
	}
	var ids []string
	for _, w := range members {
		ids = append(ids, fmt.Sprint(w.vm.ID))
	}
	return fmt.Errorf("%w: %w", api.Internal("Failed to remove specified load balancer rule id for vms [%s]", strings.Join(ids, ", ")), err)
}

// markMembers sets the mappings' revoke flag and answers those that a rollback clears again: of each VM that was named
// without an address the first one.
func (z *Zone) markMembers(ctx context.Context, r *LBRule, members []wanted) (restore []*Member, err error) {
	for _, w := range members {
		first := true
		for _, m := range r.Members {
			if m.VM != w.vm || len(w.ips) > 0 && !slices.Contains(w.ips, m.IP) {
				continue
			}
			if err := z.setMemberRevoke(ctx, m, true); err != nil {
				return nil, err
			}
			if first && len(w.ips) == 0 || !z.knobs[release.FailedRemoveDropsMember] {
				restore, first = append(restore, m), false
			}
		}
	}
	return restore, nil
}

// leaveGroup takes VMs that left a group's rule out of the group.
func (z *Zone) leaveGroup(ctx context.Context, r *LBRule, members []wanted) {
	for _, w := range members {
		z.lbHooks.left(ctx, r, w.vm)
	}
}

// removeVMFromRules takes a VM that is being expunged out of every rule, one push a rule, without rollback. A failed push
// leaves the mapping revoked, and the expunge fails.
func (z *Zone) removeVMFromRules(ctx context.Context, vm *VM) error {
	for _, r := range slices.Clone(z.lbRules) {
		if !slices.ContainsFunc(r.Members, func(m *Member) bool { return m.VM == vm }) {
			continue
		}
		if z.knobs[fault.ExpungeWithoutPush] {
			r.Members = slices.DeleteFunc(r.Members, func(m *Member) bool { return m.VM == vm })
			continue
		}
		if err := z.unassign(ctx, r, []wanted{{vm: vm}}, false); err != nil {
			return err
		}
	}
	return nil
}
