package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/usage"
)

// Outcome is what came of a trial.
type Outcome string

// Outcomes; the first three are allowed.
const (
	Right      Outcome = "right"        // the verdict of a quiet server
	Undecided  Outcome = "inconclusive" // no verdict, for a reason that names what happened
	NotRun     Outcome = "not run"      // exit status 4, for a reason that names what happened
	WrongCause Outcome = "WRONG CAUSE"  // no verdict, for another reason
	Wrong      Outcome = "WRONG"        // the opposite verdict
	Hang       Outcome = "HANG"         // it did not end within the stated bound
	Secret     Outcome = "SECRET"       // a key or a password is in what it wrote or said
	Leak       Outcome = "LEAK"         // something was left after cleanup
	Crash      Outcome = "CRASH"        // it ended in a panic or by a signal
)

// Outcomes are all, as the matrix shows them.
func Outcomes() []Outcome {
	return []Outcome{Right, Undecided, NotRun, WrongCause, Wrong, Hang, Secret, Leak, Crash}
}

// Allowed says whether an outcome is one that a fault may have.
func (o Outcome) Allowed() bool { return o == Right || o == Undecided || o == NotRun }

// Trial is one run and what befalls it.
type Trial struct {
	Seed     int64
	Scenario string
	Routers  bool // the scenario looks at routers
	Faults   []string
	Call     int // at which the faults strike that strike once
}

func (t Trial) String() string {
	return fmt.Sprintf("seed %d: %s with %s at call %d", t.Seed, t.Scenario, strings.Join(t.Faults, " and "), t.Call)
}

// Tried is a trial with its outcome.
type Tried struct {
	Trial
	Outcome Outcome
	Why     string
	Seconds float64
}

// Deadline is the bound of a trial's run; its clean-up comes on top, with the bounds that it prints.
const (
	Deadline  = 2 * time.Minute
	hangAfter = Deadline + 8*time.Minute
)

// attempt is a trial under way.
type attempt struct {
	Trial
	site     *Site
	child    *child
	seed     int64
	behind   http.Handler // nil: the zone
	logFlags []string     // how the log is read
	flags    []string
	files    int // that may be open; 0 is no bound
	undo     []func() error

	mu   sync.Mutex
	held time.Duration // how long the next answer is held back
}

// hold lets the next answer be late.
func (a *attempt) hold(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = d
}

func (a *attempt) late() (d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, a.held = a.held, 0
	return d
}

// Draw draws the trial of a seed: a scenario, one fault or two, and the call at which they strike.
func Draw(seed int64, scenarios []Trial, faults []Fault) Trial {
	rng := rand.New(rand.NewPCG(uint64(seed), 0xc4a05)) // repeatable on purpose
	t := scenarios[rng.IntN(len(scenarios))]
	t.Seed, t.Call = seed, 1+rng.IntN(120)
	fit := slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return f.routers && !t.Routers })
	for range 1 + rng.IntN(2) {
		name := fit[rng.IntN(len(fit))].Name
		if !slices.Contains(t.Faults, name) {
			t.Faults = append(t.Faults, name)
		}
	}
	return t
}

// FaultsOf are the faults with these names.
func FaultsOf(names []string) (all []Fault, err error) {
	for _, name := range names {
		i := slices.IndexFunc(Faults(), func(f Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %q", name)
		}
		all = append(all, Faults()[i])
	}
	return all, nil
}

// Try carries out one trial. Bad says whether the release has a defect that the scenario is known to find. The error
// says that the trial itself could not be carried out.
func (s *Site) Try(ctx context.Context, t Trial, bad bool) (_ Tried, err error) {
	faults, err := FaultsOf(t.Faults)
	if err != nil {
		return Tried{}, err
	}
	began := time.Now()
	a := &attempt{Trial: t, site: s, seed: t.Seed, logFlags: []string{"--log", s.logName()}}
	if a.child, err = s.folders(); err != nil {
		return Tried{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(a.child.dir)) }()
	defer func() { err = errors.Join(err, a.heal(context.WithoutCancel(ctx))) }()
	for _, f := range faults {
		if f.begin != nil {
			if err := f.begin(ctx, a); err != nil {
				return Tried{}, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	hung, err := a.run(ctx, faults)
	if err != nil {
		return Tried{}, err
	}
	tried := Tried{Trial: t}
	tried.Outcome, tried.Why = a.judge(faults, bad, hung)
	shown, err := a.child.shows(s.secrets())
	if err != nil {
		return tried, err
	}
	if len(shown) > 0 {
		tried.Outcome, tried.Why = Secret, strings.Join(shown, "; ")
	}
	if err := a.heal(context.WithoutCancel(ctx)); err != nil {
		return tried, err
	}
	left, err := s.swept(ctx, a.child)
	if len(left) > 0 && tried.Outcome.Allowed() {
		tried.Outcome, tried.Why = Leak, strings.Join(left, "; ")
	}
	tried.Seconds = time.Since(began).Seconds()
	return tried, err
}

// run runs the run, with the faults that strike; it says whether it had to be killed.
func (a *attempt) run(ctx context.Context, faults []Fault) (hung bool, err error) {
	sources := append([]string{"--dsn", a.site.readerDSN()}, a.logFlags...)
	if !a.Routers {
		sources = sources[:2]
	}
	flags := append(append(sources, a.flags...), "--deadline", Deadline.String())
	for flag, name := range artefacts() {
		flags = append(flags, "--"+flag, filepath.Join(a.child.dir, name))
	}
	a.site.prepare(ctx, a.child, a.seed, []string{a.Scenario}, flags...)
	if a.files > 0 {
		limited(a.child.cmd, a.files)
	}
	struck := make(chan struct{})
	striking, stop := context.WithCancel(ctx)
	defer stop()
	var once sync.Once
	var strikes sync.WaitGroup
	calls := 0
	var mu sync.Mutex
	behind := a.behind
	if behind == nil {
		behind = a.site.door.plain
	}
	a.site.door.put(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls++
		now := calls >= a.Call
		mu.Unlock()
		if now {
			once.Do(func() { close(struck) })
		}
		if d := a.late(); d > 0 {
			pause(r.Context(), d)
		}
		behind.ServeHTTP(w, r)
	}))
	defer a.site.door.put(nil)
	if err := a.child.start(); err != nil {
		return false, err
	}
	errs := make(chan error, len(faults))
	strikes.Go(func() {
		select {
		case <-struck:
		case <-striking.Done():
			return
		}
		for _, f := range faults {
			if f.strike != nil {
				errs <- f.strike(striking, a)
			}
		}
	})
	end := time.AfterFunc(hangAfter, a.child.kill)
	_, err = a.child.wait()
	hung = !end.Stop()
	stop()
	strikes.Wait()
	close(errs)
	for struck := range errs {
		err = errors.Join(err, struck)
	}
	return hung, err
}

// heal takes back what was done to the surroundings.
func (a *attempt) heal(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(a.undo) {
		errs = append(errs, f())
	}
	a.undo = nil
	a.site.tables.heal()
	a.site.door.put(nil)
	return errors.Join(append(errs, a.site.connections(ctx, 0), a.site.usageBack(ctx))...)
}

// usageBack makes sure that one usage server runs.
func (s *Site) usageBack(ctx context.Context) (err error) {
	if s.second != "" {
		err = s.zone.EndUsage(ctx, s.second, zone.UsageStopped)
		s.second = ""
	}
	if s.usageEnded {
		s.usageEnded = false
		_ = s.zone.EndUsage(ctx, s.usageHost, zone.UsageKilled) // it may be gone already
		s.hosts++
		s.usageHost = fmt.Sprintf("vm/127.0.0.%d", 1+s.hosts)
		err = errors.Join(err, s.zone.StartUsage(ctx, s.usageHost, zone.UsageSettings{}),
			s.zone.Advance(ctx, usage.HeartbeatDelay+usage.HeartbeatEvery))
	}
	return err
}

// judge says what came of the run.
func (a *attempt) judge(faults []Fault, bad, hung bool) (Outcome, string) {
	said := a.child.said.String()
	if hung {
		return Hang, "it was killed after " + hangAfter.String()
	}
	code := a.child.cmd.ProcessState.ExitCode()
	if code < 0 || strings.Contains(said, "\npanic: ") || strings.Contains(said, "goroutine 1 [") {
		return Crash, last(said)
	}
	run, err := a.child.result()
	if err != nil {
		return caused(NotRun, faults, said)
	}
	for _, c := range run.Results {
		if c.ID != a.Scenario {
			continue
		}
		switch {
		case c.Verdict == result.Inconclusive && !c.ByDesign:
			return caused(Undecided, faults, c.Reason)
		case c.Verdict == result.Unsupported:
			return caused(Undecided, faults, c.Reason)
		case (c.Verdict == result.Fail) != bad && !c.ByDesign:
			return Wrong, string(c.Verdict) + ": " + c.Reason
		}
		return Right, c.Reason
	}
	return caused(NotRun, faults, said)
}

// caused is the outcome if the reason names what one of the faults does.
func caused(o Outcome, faults []Fault, reason string) (Outcome, string) {
	for _, f := range faults {
		for _, word := range append([]string{"--deadline"}, f.Causes...) {
			if strings.Contains(strings.ToLower(reason), strings.ToLower(word)) {
				return o, last(reason)
			}
		}
	}
	return WrongCause, last(reason)
}

// last is the end of a text.
func last(text string) string {
	const most = 600
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = "... " + text[len(text)-most:]
	}
	return text
}
