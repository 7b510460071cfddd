package lb

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Wanted is one VM that assign or remove names, with the addresses that vmidipmap gives; none means the primary one for
// assign and all for remove.
type Wanted struct {
	VM  *compute.VM
	ips []netip.Addr
	of  *net.Network // the tier that vmnetworkid names; nil for that of the rule
}

// wantedMembers reads virtualmachineids and vmidipmap, in the order in which a Java HashMap of the internal ids would
// give them: that is the order of the mapping rows, and so of the destinations in a push.
func wantedMembers(mgr *Manager, c *kernel.Call) ([]Wanted, error) {
	byVM, tiers := map[*compute.VM][]netip.Addr{}, map[*compute.VM]*net.Network{}
	var order []*compute.VM
	add := func(vm *compute.VM, ip netip.Addr) {
		if _, known := byVM[vm]; !known {
			order = append(order, vm)
		}
		ips := byVM[vm]
		if ip.IsValid() {
			ips = append(ips, ip)
		}
		byVM[vm] = ips
	}
	for _, e := range c.Entries("vmidipmap") {
		vm := mgr.compute.VMByUUID(e["vmid"])
		if vm == nil {
			return nil, api.Invalid("Unable to find %s ID: %s", mgr.Worded("virtual machine", "Instance"), e["vmid"])
		}
		var ip netip.Addr
		if text := e["vmip"]; text != "" || c.Cmd.Name == "assignToLoadBalancerRule" {
			var err error
			if ip, err = netip.ParseAddr(text); err != nil {
				return nil, api.Invalid("Invalid ip address %s passed in vmidipmap for vmid %d", text, vm.ID)
			}
		}
		add(vm, ip)
		if u := e["vmnetworkid"]; u != "" && mgr.On(release.VPCConserveMode) {
			if tiers[vm] = mgr.net.NetworkByUUID(u); tiers[vm] == nil {
				return nil, api.Invalid("Unable to find Network ID: %s", u)
			}
		}
	}
	for _, u := range c.List("virtualmachineids") {
		vm := mgr.compute.VMByUUID(u)
		if vm == nil {
			return nil, c.BadEntity("virtualmachineids", u)
		}
		given := byVM[vm]
		add(vm, netip.Addr{})
		if c.Cmd.Name == "assignToLoadBalancerRule" && len(given) > 0 {
			byVM[vm] = append(byVM[vm], netip.Addr{}) // the primary address as well
		}
	}
	if len(order) == 0 && !c.Has("virtualmachineids") {
		return nil, api.Invalid("Both instanceids and vmidipmap  can't be null")
	}
	hashOrder(order)
	out := make([]Wanted, 0, len(order))
	for _, vm := range order {
		out = append(out, Wanted{vm, byVM[vm], tiers[vm]})
	}
	return out, nil
}

// hashOrder sorts VMs as java.util.HashMap iterates over their ids: by bucket, the table doubling at three quarters.
func hashOrder(vms []*compute.VM) {
	buckets := int64(16)
	for int64(len(vms))*4 > buckets*3 {
		buckets *= 2
	}
	slices.SortStableFunc(vms, func(a, b *compute.VM) int { return int(a.ID&(buckets-1) - b.ID&(buckets-1)) })
}

// assignToRule is the job of assignToLoadBalancerRule. Whatever is wrong, the release answers one text
// (AssignToLoadBalancerRuleCmd@4.20.0.0).
func assignToRule(mgr *Manager, c *kernel.Call) (obj, error) {
	failed := &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to assign load " +
		"balancer rule"}
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	members, err := wantedMembers(mgr, c)
	if err != nil {
		return nil, err
	}
	if mgr.Hooks.Bound(r, Assign) {
		return nil, failed
	}
	if err := mgr.Assign(c.Ctx, r, members); err != nil {
		mgr.Log.Debug("assigning to a load balancer", "rule", r.ID, "err", err)
		if mgr.On(release.EventTextUUID) { // AssignToLoadBalancerRuleCmd@main
			failed.Text += fmt.Sprintf(" due to: %v", err)
		}
		return nil, failed
	}
	return obj{"success": true}, nil
}

// Assign maps VMs to a rule and pushes. A failed push takes all mappings of these VMs back.
func (mgr *Manager) Assign(ctx context.Context, r *push.Rule, members []Wanted) error {
	had := slices.Clone(r.Members)
	for i := range members {
		ips, err := mgr.checkMember(r, members[i])
		if err != nil {
			return err
		}
		members[i].ips = ips
	}
	for _, w := range members {
		for _, ip := range w.ips {
			m := &push.Member{VM: w.VM, IP: ip}
			id, err := mgr.Insert(ctx, "cloud.load_balancer_vm_map", obj{
				"load_balancer_id": r.ID, "instance_id": w.VM.ID, "revoke": 0, "instance_ip": ip.String(),
			})
			if err != nil {
				return err
			}
			m.ID = id
			r.Members = append(r.Members, m)
		}
	}
	state := r.State
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return err
	}
	err := mgr.applyRule(ctx, r, push.Members)
	if !kernel.Unavailable(err) {
		return err
	}
	for _, m := range slices.Clone(r.Members) {
		if takenBack(mgr, m, members, had) {
			if err := mgr.RemoveMember(ctx, r, m); err != nil {
				return err
			}
		}
	}
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
		return err
	}
	return fmt.Errorf("adding members to load balancer rule %d: %w", r.ID, err)
}

// takenBack says whether a failed assignment takes a mapping away: one that it made, and by the release's defect every
// one of the same VMs.
func takenBack(mgr *Manager, m *push.Member, members []Wanted, had []*push.Member) bool {
	return slices.ContainsFunc(members, func(w Wanted) bool { return w.VM == m.VM }) &&
		!mgr.On(fault.FailedAssignStays) && (mgr.On(release.FailedAssignDropsMapping) || !slices.Contains(had, m))
}

// checkMember answers the addresses to map.
func (mgr *Manager) checkMember(r *push.Rule, w Wanted) ([]netip.Addr, error) {
	if slices.Contains([]string{"Destroyed", "Expunging", "Error"}, w.VM.State) || !w.VM.Removed.IsZero() {
		return nil, api.Invalid("Invalid instance id specified")
	}
	if w.VM.Account != r.Account {
		return nil, tenancy.Permission("Acct[%s-%s] does not have permission to operate with resource",
			r.Account.UUID, r.Account.Name)
	}
	nic, err := mgr.nicBehind(r, w)
	if err != nil {
		return nil, err
	}
	var ips, given []netip.Addr
	for _, ip := range w.ips {
		if !ip.IsValid() {
			ip = nic.IP
		} else {
			given = append(given, ip)
		}
		if !nic.Owns(ip) {
			return nil, api.Invalid("%s %s specified does not belong to nic in network %d",
				mgr.Worded("VM ip", "Instance IP"), ip, nic.Network.ID)
		}
		if !slices.Contains(ips, ip) {
			ips = append(ips, ip)
		}
	}
	if len(ips) == 0 {
		ips = []netip.Addr{nic.IP}
	}
	looked := ips
	if len(given) > 0 && mgr.On(release.MemberMappedTwice) { // the primary address joins them after the look
		looked = given
	}
	for _, m := range r.Members {
		switch {
		case m.VM != w.VM || !slices.Contains(looked, m.IP):
		case !m.Revoke:
			return nil, api.Invalid("VM %d with %s is already mapped to load balancer.", w.VM.ID, m.IP)
		case !mgr.On(release.MappingTwiceStuck):
			return nil, duplicateMapping(r, m)
		}
	}
	return ips, nil
}

// nicBehind is the NIC of a VM that a rule balances to: in the rule's network, or where the rule's VPC is in conserve
// mode in the tier that the call names (LoadBalancingRulesManagerImpl.getVmNicInLoadBalancer@main).
func (mgr *Manager) nicBehind(r *push.Rule, w Wanted) (*compute.NIC, error) {
	n, conserves := r.Network, r.Network.VPC.Conserves()
	if conserves && w.of != nil {
		if n = w.of; n.VPC != r.Network.VPC {
			return nil, api.Invalid("Cannot add VM to load balancer because the VM network and load balancer network " +
				"are not part of the same VPC")
		}
	}
	nic := compute.NICIn(w.VM, n)
	switch {
	case nic == nil && conserves:
		return nil, api.Invalid("VM with id specified cannot be added to the load balancing rule for VPC Conserve " +
			"Mode.")
	case nic == nil:
		return nil, api.Invalid("VM with id specified cannot be added because it doesn't belong in the same network.")
	}
	return nic, nil
}

// duplicateMapping is what the key of load_balancer_vm_map says to a second row of an address, or of its removal.
func duplicateMapping(r *push.Rule, m *push.Member) error {
	return api.Internal("DB Exception: Duplicate entry '%d-%d-%s' for key 'load_balancer_vm_map.load_balancer_id'",
		r.ID, m.VM.ID, m.IP)
}

// again is the failure to take a member away in the second in which it was taken away before: its rows would have one
// date of removal.
func (mgr *Manager) again(r *push.Rule) error {
	if !mgr.On(release.RemovedTwiceFails) {
		return nil
	}
	now := mgr.Now().Truncate(time.Second)
	for _, m := range r.Members {
		if m.Revoke && slices.ContainsFunc(r.Former, func(o *push.Member) bool {
			return o.VM == m.VM && o.IP == m.IP && o.Removed.Truncate(time.Second).Equal(now)
		}) {
			return duplicateMapping(r, m)
		}
	}
	return nil
}

// stuck is the failure to remove a revoked member whose address is there once more: both rows would get one date of
// removal, which their key forbids (LoadBalancerVMMapDaoImpl.remove@main). A rule that goes is let go, so that a zone
// can be cleared.
func (mgr *Manager) stuck(r *push.Rule) error {
	if !mgr.On(release.MappingTwiceStuck) {
		return nil
	}
	for _, m := range r.Members {
		twin := func(o *push.Member) bool { return o != m && o.VM == m.VM && o.IP == m.IP }
		if m.Revoke && slices.ContainsFunc(r.Members, twin) {
			return duplicateMapping(r, m)
		}
	}
	return nil
}

// removeFromRule is the job of removeFromLoadBalancerRule.
func removeFromRule(mgr *Manager, c *kernel.Call) (obj, error) {
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	members, err := wantedMembers(mgr, c)
	if err != nil {
		return nil, err
	}
	for _, w := range members {
		if mgr.Hooks.Guard(w.VM) != nil || !mapped(r, w) {
			return nil, api.BadParameter("Failed to remove %s from load balancer rule",
				mgr.Worded("instance", "Instance"))
		}
	}
	if err := mgr.Unassign(c.Ctx, r, members, true); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// mapped reports whether the rule has the addresses that vmidipmap names. A VM that is not mapped at all is no error.
func mapped(r *push.Rule, w Wanted) bool {
	for _, ip := range w.ips {
		if !slices.ContainsFunc(r.Members, func(m *push.Member) bool { return m.VM == w.VM && m.IP == ip }) {
			return false
		}
	}
	return true
}

// Unassign marks mappings, pushes and removes them. Rolled back after a failed push, a mapping named by VM is
// restored; one named by address stays revoked, as the release's rollback sets the flag instead of clearing it
// (facts: cloudstack.md 3.1).
func (mgr *Manager) Unassign(ctx context.Context, r *push.Rule, members []Wanted, rollback bool) error {
	state := r.State
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return err
	}
	marked, err := mgr.markMembers(ctx, r, members)
	if err != nil {
		return err
	}
	err = mgr.applyRule(ctx, r, push.Members)
	if err == nil {
		mgr.leaveGroup(ctx, r, members)
		return nil
	}
	if !kernel.Unavailable(err) {
		return err
	}
	if rollback && !mgr.On(fault.FailedRemovalStays) {
		for _, m := range marked {
			if err := mgr.setMemberRevoke(ctx, m, false); err != nil {
				return err
			}
		}
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
			return err
		}
	}
	var ids []string
	for _, w := range members {
		ids = append(ids, fmt.Sprint(w.VM.ID))
	}
	return fmt.Errorf("%w: %w", api.Internal("Failed to remove specified load balancer rule %s [%s]",
		mgr.Worded("id for vms", "ID for Instances"), strings.Join(ids, ", ")), err)
}

// markMembers sets the mappings' revoke flag and answers those that a rollback clears again: of each VM that was named
// without an address the first one.
func (mgr *Manager) markMembers(ctx context.Context, r *push.Rule, members []Wanted) (restore []*push.Member,
	err error) {
	for _, w := range members {
		first := true
		for _, m := range r.Members {
			if m.VM != w.VM || len(w.ips) > 0 && !slices.Contains(w.ips, m.IP) {
				continue
			}
			if err := mgr.setMemberRevoke(ctx, m, true); err != nil {
				return nil, err
			}
			if first && len(w.ips) == 0 || !mgr.On(release.FailedRemoveDropsMember) {
				restore, first = append(restore, m), false
			}
		}
	}
	return restore, nil
}

// leaveGroup takes VMs that left a group's rule out of the group.
func (mgr *Manager) leaveGroup(ctx context.Context, r *push.Rule, members []Wanted) {
	for _, w := range members {
		mgr.Hooks.Left(ctx, r, w.VM)
	}
}

// RemoveVMFromRules takes a VM that is being expunged out of every rule, one push a rule, without rollback. A
// failed push leaves the mapping revoked, and the expunge fails. All mappings are marked before the first push
// (LoadBalancingRulesManagerImpl.removeVmFromLoadBalancers@4.19.1.0).
func (mgr *Manager) RemoveVMFromRules(ctx context.Context, vm *compute.VM) error {
	for _, r := range mgr.push.LBRules.All() {
		for _, m := range r.Members {
			if m.VM == vm {
				if err := mgr.setMemberRevoke(ctx, m, true); err != nil {
					return err
				}
			}
		}
	}
	for _, r := range mgr.push.LBRules.All() {
		if !slices.ContainsFunc(r.Members, func(m *push.Member) bool { return m.VM == vm }) {
			continue
		}
		if err := mgr.Unassign(ctx, r, []Wanted{{VM: vm}}, false); err != nil {
			return err
		}
	}
	return nil
}
