package scripts

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// asVariable makes the test program play another program: see actors.
const asVariable = "STACKPROOF_SCRIPTS_TEST_AS"

func TestMain(m *testing.M) {
	MaybeChild()
	if actor, ok := actors()[os.Getenv(asVariable)]; ok {
		if err := actor(context.Background()); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(testhome.Around(m))
}

// conformance is the folder of the recordings; STACKPROOF_CONFORMANCE names another of the same form.
func conformance(parts ...string) string {
	root := os.Getenv("STACKPROOF_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "conformance")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

func recorded(tb testing.TB, parts ...string) []router.Push {
	tb.Helper()
	f, err := os.Open(conformance(parts...))
	require.NoError(tb, err)
	defer func() { _ = f.Close() }()
	var in io.Reader = f
	if strings.HasSuffix(f.Name(), ".gz") {
		in, err = gzip.NewReader(f)
		require.NoError(tb, err)
	}
	pushes, _, err := router.ReadPushes(in)
	require.NoError(tb, err)
	require.NotEmpty(tb, pushes, "no push in %s", f.Name())
	return pushes
}

// open opens a sandbox that is closed with the test. It skips where the machine lacks a part.
func open(tb testing.TB, o Options) *VR {
	tb.Helper()
	v, err := Open(tb.Context(), o)
	skipIfUnsupported(tb, err)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, v.Close()) })
	return v
}

// skipIfUnsupported is only for tests that are not about the preflight.
func skipIfUnsupported(tb testing.TB, err error) {
	tb.Helper()
	var u *Unsupported
	if errors.As(err, &u) {
		tb.Skip(err)
	}
}

func apply(tb testing.TB, v *VR, p router.Push, form Form) Report {
	tb.Helper()
	r, err := v.Apply(tb.Context(), p, form)
	require.NoError(tb, err)
	return r
}

// pushOf makes the command for these rules on r-3-VM, with its JSON.
func pushOf(tb testing.TB, rules ...rule) router.Push {
	tb.Helper()
	p := command("r-3-VM", rules)
	data, err := json.Marshal(wire(p))
	require.NoError(tb, err)
	parsed, err := router.ParsePush(data)
	require.NoError(tb, err)
	p.Raw = parsed.Raw
	require.Equal(tb, p, parsed, "the command is what a server could have sent")
	return parsed
}

// wire is the command as a server of 4.20.0.0 logs it.
func wire(p router.Push) map[string]any {
	balancers := []any{}
	for _, lb := range p.LoadBalancers {
		destinations, policies := []any{}, []any{}
		for _, d := range lb.Destinations {
			destinations = append(destinations, map[string]string{"destIp": d.IP, "destPort": strconv.Itoa(d.Port),
				"revoked": "false"})
		}
		for _, s := range lb.Stickiness {
			params := []any{}
			for _, q := range s.Params {
				params = append(params, map[string]string{"t": q.Name, "u": q.Value})
			}
			policies = append(policies, map[string]any{"methodName": s.Method, "params": params})
		}
		balancers = append(balancers, map[string]any{
			"uuid": lb.UUID, "srcIp": lb.SrcIP, "srcPort": strconv.Itoa(lb.SrcPort), "protocol": lb.Protocol,
			"algorithm": lb.Algorithm,
			"revoked":   strconv.FormatBool(lb.Revoked), "destinations": destinations, "stickinessPolicies": policies,
		})
	}
	return map[string]any{
		"loadBalancers": balancers, "lbStatsVisibility": p.StatsVisibility, "lbStatsPublicIP": p.StatsPublicIP,
		"lbStatsPort":     p.StatsPort,
		"lbStatsSrcCidrs": p.StatsSrcCIDRs, "lbStatsAuth": p.StatsAuth, "lbStatsUri": p.StatsURI, "maxconn": p.MaxConn,
		"vpcId":         p.VPCID,
		"accessDetails": p.AccessDetails,
	}
}

// waitFor polls until done; the message carries what was seen last.
func waitFor(tb testing.TB, what string, done func() (bool, string)) {
	tb.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		ok, last := done()
		if ok {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			tick.Stop()
			tb.Fatalf("%s did not come about; last seen: %s", what, last)
		}
	}
}

// processesOf lists what is alive in the sandboxes of a program, by the mark in their environment.
func processesOf(parent int) []string {
	mark := []byte(childMark(parent) + "\x00")
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(append([]byte("\x00"), text...), append([]byte("\x00"), mark...)) {
			continue
		}
		words, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		found = append(found, filepath.Base(filepath.Dir(name))+" "+strings.ReplaceAll(string(words), "\x00", " "))
	}
	return found
}

func listTree(tb testing.TB) Options { return treeOf(tb, scriptstest.List) }

func setTree(tb testing.TB) Options { return treeOf(tb, scriptstest.Set) }

// treeOf writes a variant of our tree. The system's own interpreter comes first: python3 on PATH may be a version
// manager's wrapper, which takes longer than the rest of a sandbox.
func treeOf(tb testing.TB, variant string) Options {
	tb.Helper()
	return Options{Tree: scriptstest.Tree(tb, variant), Interpreter: interpreters}
}

const interpreters = "/usr/bin/python3:python3"
