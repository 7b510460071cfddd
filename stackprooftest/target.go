package stackprooftest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/realrouter"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
)

// Tests run a package's tests, as *testing.M does.
type Tests interface{ Run() int }

// mainVariable holds the id of the process whose Main ran. A child has another id: it must not open labs itself.
const mainVariable = "STACKPROOF_TEST_MAIN"

// Main runs a package's tests and ends the process with their status. It is all that TestMain has to do. Where network
// namespaces may not be made, the tests run once more in a user namespace; that they cannot is for Lab to say.
func Main(m Tests) {
	scripts.MaybeChild()
	os.Exit(inside(m))
}

func inside(m Tests) int {
	// What the driver would log of lost connections is in the errors that it returns.
	_ = mysql.SetLogger(&mysql.NopLogger{}) // refuses nil only
	var ran *network.ReexecutedError
	if err := network.Enter(); errors.As(err, &ran) {
		return ran.Status
	}
	if err := os.Setenv(mainVariable, strconv.Itoa(os.Getpid())); err != nil {
		fmt.Fprintln(os.Stderr, "stackprooftest:", err)
		return 1
	}
	return m.Run()
}

// Target is what is tested. Its fields may be changed before Run and Tell.
type Target struct {
	harness.Target
	// Strict makes known failures, and known failures that pass, fail the test.
	Strict bool
	// Seed of shuffles and generated ids; 1 unless it is set.
	Seed int64
	// Repeat is how often each scenario runs, folded into one verdict; at least 1.
	Repeat int
	// Workers is how many scenarios run at once; of a lab at most as many as there are processors.
	Workers int

	notes func(result.Run) []string // what a reader of a run must know of the target; nil for nothing
}

// Lab opens a lab zone of a release, such as 4.20.3.0 or main, and closes it at the test's end. Knobs switch one
// behaviour each, as --knob does: NAME, NAME=off or NAME=VALUE. The test ends where the lab cannot run here: it needs
// HAProxy, a MariaDB or MySQL server program, and the right to make network namespaces.
func Lab(t testing.TB, name string, knobs ...string) *Target {
	t.Helper()
	needMain(t)
	refuse(t)
	on, err := release.ProfileKnobs(name)
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	for _, k := range knobs {
		if err := fault.Set(on, release.Knob(k)); err != nil {
			t.Fatalf("stackprooftest: %v", err)
		}
	}
	_, noHAProxy := router.FindHAProxy("")
	if err := errors.Join(noHAProxy, network.Check()); err != nil {
		t.Fatalf("stackprooftest: the lab cannot run here: %v", err)
	}
	workers := runtime.NumCPU()
	opened, err := lab.New(lab.Options{Release: name, Knobs: on, Workers: workers})
	if err != nil {
		t.Fatalf("stackprooftest: opening a lab of %s: %v", name, err)
	}
	closeAtEnd(t, opened)
	if err := opened.Ready(t.Context()); err != nil {
		t.Fatalf("stackprooftest: the lab cannot run here: %v", err)
	}
	return &Target{Target: opened, Seed: 1, Repeat: 1, Workers: workers}
}

// openTimeout bounds the trying of what an existing zone can show, as the command does.
const openTimeout = 3 * time.Minute

// Existing opens a zone that somebody runs, by its name in a file of targets (docs/existing-targets.md), and closes it
// at the test's end. The environment is laid over the file. A test asks nobody, so the target must be marked
// disposable. Objects are noted in a ledger before they are made: what a killed test leaves behind, stackproof cleanup
// removes.
func Existing(t testing.TB, file, name string) *Target {
	t.Helper()
	needMain(t)
	refuse(t)
	conf, err := configured(file, name)
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), openTimeout)
	defer cancel()
	opened, err := existing.Open(ctx, existing.Options{Name: name, Config: conf, OpenRouters: realrouter.Open})
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	closeAtEnd(t, opened)
	folder, err := ledger.Folder()
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	l, err := ledger.Create(folder, name, opened.URL())
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	opened.Keep(l)
	for _, f := range opened.Findings() {
		t.Logf("%s is %s: %s", f.Capability, f.State, f)
	}
	// Scenarios of one zone wait for each other at the usage runs, so all of them run at once.
	return &Target{Target: opened, Seed: 1, Repeat: 1, notes: opened.Notes}
}

// configured reads a target and refuses what a test cannot do.
func configured(file, name string) (config.Config, error) {
	all, err := config.Load(file)
	if err != nil {
		return config.Config{}, err
	}
	conf, known := all[name]
	if !known {
		var names []string
		for n := range all {
			names = append(names, n)
		}
		return conf, fmt.Errorf("%s has no target %q; did you mean %q?", file, name, harness.Nearest(name, names))
	}
	conf.Environment(os.Getenv)
	if err := conf.Check(); err != nil {
		return conf, fmt.Errorf("target %s: %w", name, err)
	}
	switch {
	case !conf.Disposable:
		return conf, fmt.Errorf("target %s is not marked disposable, and a test has nobody to ask: read what "+
			"stackproof run --target %s --dry-run says, then set disposable: true", name, name)
	case conf.Router.Mode == config.RealScripts:
		return conf, fmt.Errorf("target %s: router %s is for the command stackproof only: take shadow", name,
			config.RealScripts)
	}
	return conf, nil
}

// needMain ends a test whose TestMain lacks Main: a router's child would be the tests once more, without end.
func needMain(t testing.TB) {
	t.Helper()
	if os.Getenv(mainVariable) != strconv.Itoa(os.Getpid()) {
		t.Fatal("stackprooftest: the package of this test needs " +
			"func TestMain(m *testing.M) { stackprooftest.Main(m) }: routers are children of the test program")
	}
}

// closeAtEnd closes a target when the test and its subtests have ended.
func closeAtEnd(t testing.TB, target harness.Target) {
	heed(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if err := target.Close(ctx); err != nil {
			t.Errorf("stackprooftest: closing the target: %v", err)
		}
	})
}

// name is the subtest of a target's scenarios.
func (g *Target) name() string {
	d := g.Describe()
	return strings.TrimSuffix(d.Name+"-"+d.Release, "-")
}
