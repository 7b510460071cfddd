package harness

import (
	"context"
	"database/sql"
	"net/netip"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// Target is what is tested.
type Target interface {
	// Describe names the target, its release and whose router rules are in force.
	Describe() Description
	// Site gives one scenario its view of the target. The lab makes a zone of its own; an existing zone is shared.
	Site(ctx context.Context, scenario string, seed int64) (*Site, error)
	// Close ends what the target started.
	Close(ctx context.Context) error
}

// Planner is a target that is told what will run before the first site is opened: its sites share something, such as a
// usage server.
type Planner interface {
	Planned(p Plan)
}

// SharedRuns is a usage server whose runs are slow and serve several scenarios: one run then covers many windows.
type SharedRuns interface {
	Shared() bool
}

// Description is what a report says of a target.
type Description struct {
	Name, Release string
	Router        string // "model, rules of 4.19.1.0", "real scripts of 4.19.1.0, HAProxy 2.6.12", "none"
	// RouterCode is the release of the routers' own code where that is not Release's; UnknownRelease when it cannot be
	// told.
	RouterCode string
	// Groups are the sizes of autoscale populations that fit (L-04).
	Groups []int
	// Knobs are those that are on in a lab; nil elsewhere.
	Knobs release.Knobs
}

// Has says whether the target behaves as a knob says: a lab by its knobs, any other by its release.
func (d Description) Has(k release.Knob) bool {
	if d.Knobs != nil {
		return d.Knobs[k]
	}
	return release.Where(k).Contains(d.Release)
}

// UnknownRelease lies in no span of releases.
const UnknownRelease = "unknown"

// Site is an open target as one scenario sees it. Parts that the target cannot show are nil and named in Missing.
type Site struct {
	Description
	Cloud   *cloud.Client // root admin
	DB      *sql.DB       // SELECT only
	Usage   UsageRuns
	Clock   Clock
	Pushes  Pushes
	Routers Routers
	// Judge holds usage rows against the invariants; nil is JudgeUsage. Only a test of the judging itself gives
	// another.
	Judge UsageJudge
	// Journal is nil where pushes are seen late, or others cause them too.
	Journal Journal
	// Calls are the newest API calls of this site alone; nil where several scenarios share a client.
	Calls *Calls
	// Log is the management server's, for the reader of a failure; nil where none is read.
	Log ServerLog
	// Tamper is a lab's; nil elsewhere.
	Tamper Tamper
	// Missing says why a capability is not there. A capability that should be there but does not work is Broken.
	Missing, Broken map[Capability]string
	// Ledger notes objects before they are created; nil where the site is thrown away as a whole.
	Ledger Ledger
	// Disposable says that the site is thrown away as a whole, so that its objects need not be removed one by one.
	Disposable bool
	// Limits bound what a scenario may create.
	SkewBudget int
	// KeepLimits leaves accounts the resource limits that they are born with.
	KeepLimits bool
	// Named are the zone, offerings and template that the owner chose.
	Named Named
	// Checks says who gives the results of routers' own health checks.
	Checks Checks
	// Gate keeps scenarios of a shared site apart; nil where each has a site of its own.
	Gate Gate
	// Accounts is whose turn it is to make accounts; nil where each scenario has a site of its own.
	Accounts Turn
	// DomainID is the domain (uuid) in which accounts are made; empty is the administrator's.
	DomainID string
	told     func()
	close    func(context.Context) error
	used     func(context.Context) (map[Capability]bool, error)
}

// OnUsed sets what tells, when the story has ended, which capabilities it used: usage-run and router-files are looked
// at. A site without it is taken to have been used in every way.
func (s *Site) OnUsed(f func(context.Context) (map[Capability]bool, error)) { s.used = f }

// OnTold sets what happens as soon as the scenario's story has ended, before its objects are removed: whoever waits for
// the scenario need not wait for that.
func (s *Site) OnTold(f func()) { s.told = f }

// OnClose sets what ends the site.
func (s *Site) OnClose(f func(context.Context) error) { s.close = f }

// Close ends the site, once.
func (s *Site) Close(ctx context.Context) error {
	end := s.close
	if end == nil {
		return nil
	}
	s.close = nil
	return end(ctx)
}

// Named are the parts of a zone that the target's owner chose; a story chooses those that are empty.
type Named struct {
	Zone             string `yaml:"zone"`
	VPCOffering      string `yaml:"vpc_offering"`
	TierOffering     string `yaml:"tier_offering"`
	IsolatedOffering string `yaml:"isolated_offering"`
	Template         string `yaml:"template"`
	ServiceOffering  string `yaml:"service_offering"`
}

// Checks says who gives the results of routers' own health checks.
type Checks int

// Who gives the results of routers' own health checks.
const (
	ChecksOfRouter Checks = iota // scripts on the router, as far as the API has results
	ChecksOfModel                // the zone's own model of them
	ChecksNotRun                 // nobody: the routers run a tree's scripts, but not its checks
)

// DefaultGroups are the sizes of populations of autoscale groups (L-04) where nobody chose any, smallest first.
func DefaultGroups() []int { return []int{1, 2, 10, 50} }

// Clock is the target's time. Scenarios never sleep.
type Clock interface {
	// Now is the database's time (UTC, at least whole seconds).
	Now(ctx context.Context) (time.Time, error)
	// Pass lets time go by: the lab jumps, an existing zone waits.
	Pass(ctx context.Context, d time.Duration) error
}

// UsageRuns asks for usage runs.
type UsageRuns interface {
	// Cover returns when a successful run has covered the database time t: a job with an end later than t. Whether the
	// events were processed is for the caller to check.
	Cover(ctx context.Context, t time.Time) error
	// Window is the aggregation range.
	Window() time.Duration
}

// Admitter is a target that says when it has room for one more scenario: one that many scenarios at once would slow
// down.
type Admitter interface {
	// Admit waits for room. What it returns gives the room back, after the scenario and its clean-up.
	Admit(ctx context.Context) (leave func(), err error)
}

// SiteID is the id of the case about the site as a whole.
const SiteID = "site"

// SiteTeller is a target that may meet something that is wrong with the site as a whole. It is told once, instead of by
// each scenario that it keeps from an answer.
type SiteTeller interface {
	SiteCases() []result.Case
}

// RunAsker is a usage server that can be asked for a run without waiting for it.
type RunAsker interface {
	Ask(ctx context.Context) error
}

// Pushes shows the LoadBalancerConfigCommands of a router, by its name (r-3-VM).
type Pushes interface {
	Of(ctx context.Context, routerName string) ([]router.Push, error)
}

// ServerLog shows what the management server logged.
type ServerLog interface {
	// Mark is how many lines there were so far.
	Mark() int
	// Since are the newest lines after a mark, without secrets and as many as a report takes. The log is read anew.
	Since(ctx context.Context, mark int) []string
}

// Journal is every push of a site of one's own, as soon as it was sent.
type Journal interface {
	// Receivers are the names of the routers that were sent something.
	Receivers() []string
	// Refused is how many pushes routers refused (release.RouterVerifies).
	Refused() int
	// Since are the pushes to a router but for the first n.
	Since(routerName string, n int) []router.Push
}

// Routers shows virtual routers: files, process and data plane.
type Routers interface {
	Files(ctx context.Context, routerName string) (router.Files, error)
	// Rendered is what the release's generator makes of the newest push.
	Rendered(ctx context.Context, routerName string) (router.Rendered, error)
	// Probe sends the requests of the data-plane protocol to addresses of this router.
	Probe(ctx context.Context, routerName string, c dataplane.Config) (dataplane.Observation, error)
	// Clients are the source addresses that requests can come from.
	Clients() []netip.Addr
}

// Ledger notes what a run creates, before the call is made.
type Ledger interface {
	// Prefix begins the name of everything that the run creates; no two runs have the same.
	Prefix() string
	// Intend notes an object that is about to be created; account names its owner, empty for what has none.
	Intend(kind, name, account string) (entry int, err error)
	Created(entry int, uuid string, internal int64) error
	// Refused notes that nothing was or will be made of what was intended.
	Refused(entry int) error
	Removed(uuid string) error
	// Gone notes that nothing is left of an account.
	Gone(account string) error
}

// Turn lets the scenarios of a shared site do something one after another.
//
// It is for accounts, and for projects, which have an account each. Their ids are given out when a transaction begins
// and seen when it commits; the usage server copies those with an id greater than the largest copied one. Of two
// accounts that are made side by side it may so miss one for ever, and every usage run of the site fails from its first
// event on (docs/facts/confirmed.md 31).
type Turn chan struct{}

// NewTurn returns a turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for the turn; give gives it back. A nil Turn is everybody's.
func (t Turn) Take(ctx context.Context) (give func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Gate keeps the scenarios of a shared site apart for the moments in which one of them makes the site fail. Every verb
// is inside the gate while it works; waiting for a usage run is not work.
type Gate interface {
	// Enter waits while another scenario has the site for itself.
	Enter(ctx context.Context) error
	// Leave ends what Enter began.
	Leave()
	// Alone waits until no other scenario works, and keeps them waiting.
	Alone(ctx context.Context) error
	// Together ends what Alone began; without that it does nothing.
	Together(ctx context.Context) error
}

// enter is called when a verb begins.
func (t *Attempt) enter() {
	if t.site == nil || t.site.Gate == nil {
		return
	}
	t.Must(t.site.Gate.Enter(t.ctx), "waiting for another scenario that has the site for itself")
}

// exit is called when a verb ends.
func (t *Attempt) exit() {
	if t.site != nil && t.site.Gate != nil {
		t.site.Gate.Leave()
	}
}

// inside does something of the scenario's clean-up inside the gate.
func (t *Attempt) inside(ctx context.Context, do func(context.Context) error) error {
	if t.site == nil || t.site.Gate == nil {
		return do(ctx)
	}
	if err := t.site.Gate.Enter(ctx); err != nil {
		return err
	}
	defer t.site.Gate.Leave()
	return do(ctx)
}

// UsageJudge says what does not hold of usage rows; before is the look before, nil without one.
type UsageJudge func(before *usageprobe.Snapshot, after usageprobe.Snapshot) []usageprobe.Violation

// JudgeUsage is the judge of every run: I1 to I9 and I12.
func JudgeUsage(before *usageprobe.Snapshot, after usageprobe.Snapshot) []usageprobe.Violation {
	return append(usageprobe.Invariants(before, after, usageprobe.Touched{}), usageprobe.Says(before, after)...)
}
