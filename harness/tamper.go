package harness

import (
	"context"
	"fmt"
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
	// UpgradePath names two releases on either side of the fix of the helper-id defect, one of them the one under test. ok
	// is false where the target has no such upgrade.
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

// Forge writes a usage event of the account.
func (a *Account) Forge(eventType string, resource int64, columns map[string]any, details map[string]string) {
	defer a.t.step("forged %s", eventType)()
	a.t.must(a.t.site.Tamper.Forge(a.t.ctx, ForgedEvent{Type: eventType, Account: a.InternalID, Resource: resource, Columns: columns, Details: details}),
		"forging %s", eventType)
	a.t.pass(apart)
}

// Repeat writes the newest event of a type about a resource once more.
func (t *T) Repeat(eventType string, resource int64) {
	defer t.step("%s written twice", eventType)()
	t.must(t.site.Tamper.Repeat(t.ctx, eventType, resource), "repeating %s", eventType)
}

// Backlog gives the usage server count events to work through.
func (a *Account) Backlog(count int) {
	defer a.t.step("backlog of %d events", count)()
	a.t.must(a.t.site.Tamper.Backlog(a.t.ctx, a.InternalID, count), "writing a backlog")
}

// EndUsage ends the usage server of a host.
func (t *T) EndUsage(host UsageHost, how UsageEnd) {
	defer t.step("%s usage server %s", host, how)()
	t.must(t.site.Tamper.EndUsage(t.ctx, host, how), "ending the %s usage server", host)
}

// StartUsage starts a usage server on a host.
func (t *T) StartUsage(host UsageHost) { t.StartUsageWith(host, UsageSettings{}) }

// StartUsageWith starts a usage server with settings of its own.
func (t *T) StartUsageWith(host UsageHost, s UsageSettings) {
	defer t.step("%s usage server started", host)()
	t.must(t.site.Tamper.StartUsage(t.ctx, host, s), "starting the %s usage server", host)
}

// UpgradePath names the releases of an upgrade across the fix of the helper-id defect. Where the target has none, the
// story is unsupported.
func (t *T) UpgradePath() (from, to string) {
	from, to, ok := t.site.Tamper.UpgradePath()
	if !ok {
		t.Unsupported("the lab has no upgrade across the fix of the helper-id defect from or to %s", t.site.Release)
	}
	return from, to
}

// SwitchRelease upgrades the standing site.
func (t *T) SwitchRelease(release string) {
	defer t.step("release %s", release)()
	t.must(t.site.Tamper.SwitchRelease(t.ctx, release), "switching to %s", release)
	t.pass(apart)
}

// KeepDeletedRules makes the site one of a release to come that keeps the rows of deleted rules.
func (t *T) KeepDeletedRules() {
	defer t.step("deleted rules are kept")()
	t.must(t.site.Tamper.KeepDeletedRules(t.ctx), "keeping deleted rules")
}

// ExpectUsageWithin expects that a usage run covers the present before the time is over, without being asked for.
func (t *T) ExpectUsageWithin(limit time.Duration) {
	defer t.step("usage runs by itself within %s", limit)()
	t.watch.checks++
	from := t.now()
	deadline := from.Add(limit)
	for {
		if end := t.lastSuccess(); end.After(from) {
			return
		}
		if t.now().After(deadline) {
			t.Fail(fmt.Sprintf("no successful usage job ends after %s, %s later", stamp(from), limit))
			return
		}
		t.pass(usageLook)
	}
}

// usageLook is how often the jobs are looked at: the heartbeat of a usage server.
const usageLook = 15 * time.Second

// pass lets time go by.
func (t *T) pass(d time.Duration) {
	t.must(t.site.Clock.Pass(t.ctx, d), "letting %s pass", d)
}

// Pass lets time go by.
func (t *T) Pass(d time.Duration) { t.pass(d) }
