package harness

import (
	"context"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// The capabilities that only a lab has: what they stand for must not be done to a live site. A target without a Tamper
// lacks them.
const (
	// Forge is writing usage events that no call leads to.
	Forge Capability = "forge"
	// UsageServers is stopping, killing and starting usage servers.
	UsageServers Capability = "usage-servers"
	// Upgrade is making the standing site one of another release.
	Upgrade Capability = "upgrade"
)

// Tamper does to a lab what must never be done to a live site.
type Tamper interface {
	// Forge writes a usage event, dated now.
	Forge(ctx context.Context, e ForgedEvent) error
	// Repeat writes the newest usage event of a type and resource once more, its date included.
	Repeat(ctx context.Context, eventType string, resource int64) error
	// Backlog writes count harmless events of an account, dated now.
	Backlog(ctx context.Context, account int64, count int) error
	// AddressInOtherZone gives an account the same address in a second zone and answers its internal id.
	AddressInOtherZone(ctx context.Context, account int64, ip string) (int64, error)
	// EndUsage ends the usage server of a host, StartUsage starts one.
	EndUsage(ctx context.Context, host UsageHost, how UsageEnd) error
	StartUsage(ctx context.Context, host UsageHost, s UsageSettings) error
	// UpgradePath names two releases on either side of the fix of the helper-id defect, one of them the one under test.
	// ok is false where the target has no such upgrade.
	UpgradePath() (from, to string, ok bool)
	// SwitchRelease makes the site one of that release, usage server included.
	SwitchRelease(ctx context.Context, release string) error
	// Repair sets the close dates of usage rows, as the owner of the databases does; no usage server may run.
	Repair(ctx context.Context, plan ...usageprobe.Repair) error
	// KeepDeletedRules makes the site one that keeps the rows of deleted rules, with a removal date.
	KeepDeletedRules(ctx context.Context) error
}

// ForgedEvent is a row of cloud.usage_event, with its details.
type ForgedEvent struct {
	Type              string
	Account, Resource int64          // internal ids
	Columns           map[string]any // offering_id, size, ...
	Details           map[string]string
}

// UsageHost names a machine that a usage server may run on. A site starts with one on FirstHost.
type UsageHost string

// The two machines of a lab.
const (
	FirstHost  UsageHost = "first"
	SecondHost UsageHost = "second"
)

// UsageSettings are what a usage server reads when it starts. The zero value is what the lab has: minutes, GMT.
type UsageSettings struct {
	Daily                  bool
	Aggregation, Execution *time.Location
}

// UsageEnd is how a usage server ends.
type UsageEnd string

// A clean stop, kill -9, and kill -9 in the middle of the next run.
const (
	Stopped     UsageEnd = "stopped"
	Killed      UsageEnd = "killed"
	KilledInRun UsageEnd = "killed in the middle of its next run"
)

// lacks says why a lab's capability is not there.
func (s *Site) lacks(c Capability) string {
	if s.Tamper == nil && (c == Forge || c == UsageServers || c == Upgrade) {
		return "that is done to a lab only, never to a live site"
	}
	return ""
}
