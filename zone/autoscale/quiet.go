package autoscale

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
)

// noteQuietDown starts the quiet time that scaling down has: the scale-up policy's, or where the defect is switched off
// its own.
func (mgr *Manager) noteQuietDown(ctx context.Context, g *Group) {
	if mgr.On(release.QuietTimeOfScaleUp) || len(g.Down) == 0 {
		mgr.noteQuiet(ctx, g)
		return
	}
	if mgr.quiet == nil {
		mgr.quiet = map[int64]time.Time{}
	}
	mgr.quiet[g.Down[0].ID] = mgr.Now()
}

// dropStopped takes stopped members out of a group and its rule, which no release does.
func (mgr *Manager) dropStopped(ctx context.Context, g *Group) {
	if mgr.On(release.StoppedMemberStays) {
		return
	}
	for _, vm := range slices.Clone(g.Members) {
		if vm.State != "Stopped" {
			continue
		}
		if err := mgr.destroyMember(ctx, g, vm); err != nil {
			mgr.Log.Error("destroying a stopped member", "group", g.ID, "vm", vm.ID, "err", err)
		}
	}
}

// targetID is the internal id of the call's object behind some words.
func targetID(c *kernel.Call, words string) string { return fmt.Sprintf("%s%d", words, c.Target.ID) }
