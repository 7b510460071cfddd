package zone

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
)

const (
	causeStart = "start"
	causeGroup = "group"
)

// distortStart applies the planted faults that cut a command down to one network's rules.
func (z *Zone) distortStart(cmd *configCommand, n *Network, aggregated bool) {
	if !(z.knobs[release.RestartRendersOneTier] && aggregated || z.knobs[fault.PushOtherTiersLost] && !aggregated) {
		return
	}
	cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b balancerTO) bool {
		return !slices.ContainsFunc(z.lbRules, func(r *LBRule) bool { return r.UUID == b.UUID && r.Network == n })
	})
}

// distortLB applies the planted faults that change a command's rules.
func (z *Zone) distortLB(cmd *configCommand, c cause) {
	if z.knobs[fault.KeepAlivePushed] {
		cmd.KeepAlive = boolText(true)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		switch {
		case z.knobs[fault.SourceListDropped]:
			b.CIDRs = ""
		case z.knobs[fault.SourceListCommas]:
			b.CIDRs = strings.ReplaceAll(b.CIDRs, " ", ",")
		}
		if z.knobs[fault.PolicyLostWithMembers] && c.why == causeMembers && c.rule != nil && c.rule.UUID == b.UUID {
			b.Stickiness = nil
		}
	}
}

// restoreReplaced brings back the policies that a replacement revoked, where the release's defect is switched off.
func (z *Zone) restoreReplaced(ctx context.Context, replaced []*Policy) error {
	if z.knobs[release.ReplacedPolicyLost] {
		return nil
	}
	for _, p := range replaced {
		if err := z.setPolicyRevoke(ctx, p, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreMembers brings back a rule's members after a delete that could not be pushed, likewise.
func (z *Zone) restoreMembers(ctx context.Context, r *LBRule) error {
	if z.knobs[release.FailedDeleteDropsMembers] {
		return nil
	}
	for _, m := range r.Members {
		if err := z.setMemberRevoke(ctx, m, false); err != nil {
			return err
		}
	}
	return nil
}

// noteQuietDown starts the quiet time that scaling down has: the scale-up policy's, or where the defect is switched off
// its own.
func (z *Zone) noteQuietDown(ctx context.Context, g *Group) {
	if z.knobs[release.QuietTimeOfScaleUp] || len(g.Down) == 0 {
		z.noteQuiet(ctx, g)
		return
	}
	if z.quiet == nil {
		z.quiet = map[int64]time.Time{}
	}
	z.quiet[g.Down[0].ID] = z.now()
}

// dropStopped takes stopped members out of a group and its rule, which no release does.
func (z *Zone) dropStopped(ctx context.Context, g *Group) {
	if z.knobs[release.StoppedMemberStays] {
		return
	}
	for _, vm := range slices.Clone(g.Members) {
		if vm.State != "Stopped" {
			continue
		}
		if err := z.destroyMember(ctx, g, vm); err != nil {
			z.log.Error("destroying a stopped member", "group", g.ID, "vm", vm.ID, "err", err)
		}
	}
}
