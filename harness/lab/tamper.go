package lab

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
)

// tamper implements harness.Tamper on one zone.
type tamper struct {
	z       *zone.Zone
	release string
	knobs   release.Knobs // of the release under test
}

func (t tamper) Forge(ctx context.Context, e harness.ForgedEvent) error {
	return t.z.ForgeEvents(ctx, zone.ForgedEvent{Type: e.Type, Account: e.Account, Resource: e.Resource,
		Columns: e.Columns, Details: e.Details})
}

func (t tamper) Repeat(ctx context.Context, eventType string, resource int64) error {
	return t.z.RepeatEvent(ctx, eventType, resource)
}

func (t tamper) Backlog(ctx context.Context, account int64, count int) error {
	return t.z.ForgeBacklog(ctx, account, count)
}

func (t tamper) AddressInOtherZone(ctx context.Context, account int64, ip string) (int64, error) {
	return t.z.AddressInOtherZone(ctx, account, ip)
}

func (t tamper) KeepDeletedRules(ctx context.Context) error { return t.z.KeepDeletedRules(ctx) }

func (t tamper) Repair(ctx context.Context, plan ...usageprobe.Repair) error {
	repairs := make([]zone.RowRepair, len(plan))
	for i, r := range plan {
		repairs[i] = zone.RowRepair{Table: r.Table, ID: r.HelperID, Account: r.AccountID, Old: r.Old, New: r.New}
	}
	return t.z.RepairRows(ctx, repairs...)
}

// host is a usage server's host as its jobs name it.
func host(h harness.UsageHost) string {
	if h == harness.FirstHost {
		return zone.FirstUsageHost
	}
	return string(h) + "/127.0.0.2"
}

func (t tamper) StartUsage(ctx context.Context, h harness.UsageHost, s harness.UsageSettings) error {
	settings := zone.UsageSettings{Aggregation: s.Aggregation, Execution: s.Execution}
	if s.Daily {
		settings.Range = 24 * 60
	}
	return t.z.StartUsage(ctx, host(h), settings)
}

func (t tamper) EndUsage(ctx context.Context, h harness.UsageHost, how harness.UsageEnd) error {
	ends := map[harness.UsageEnd]zone.UsageEnd{harness.Stopped: zone.UsageStopped, harness.Killed: zone.UsageKilled,
		harness.KilledInRun: zone.UsageKilledInRun}
	end, known := ends[how]
	if !known {
		return fmt.Errorf("a usage server cannot be %q", how)
	}
	return t.z.EndUsage(ctx, host(h), end)
}

// UpgradePath is the release under test and its nearest neighbour on the other side of the fix.
func (t tamper) UpgradePath() (from, to string, ok bool) {
	return release.UpgradePath(t.release)
}

// SwitchRelease gives the zone the profile of another release, with the knobs that were set for the one under test.
func (t tamper) SwitchRelease(ctx context.Context, name string) error {
	own, err := release.ProfileKnobs(t.release)
	if err != nil {
		return err
	}
	knobs, err := release.ProfileKnobs(name)
	if err != nil {
		return err
	}
	for _, k := range fault.AllKnobs() {
		if t.knobs[k.Name] != own[k.Name] {
			knobs[k.Name] = t.knobs[k.Name]
		}
	}
	return t.z.SwitchRelease(ctx, name, knobs)
}
