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

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// asVariable makes the test program play another program: see actors.
const asVariable = "STACKPROOF_SCRIPTS_TEST_AS"

func TestMain(m *testing.M) {
	MaybeChild()
	router.MaybeChild()
	if actor, ok := actors()[os.Getenv(asVariable)]; ok {
		if err := actor(context.Background()); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
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
	pushes, err := router.ReadPushes(in)
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

// rule is a load balancing rule of 192.168.2.5 with its stickiness.
type rule struct {
	port      int
	algorithm string // roundrobin when empty
	method    string // of the policy, none when empty
	params    [][2]string
	servers   int // 3 when 0
	revoked   bool
}

// pushOf makes the command for these rules, in this order, as a server of 4.20.0.0 logs it.
func pushOf(tb testing.TB, rules ...rule) router.Push {
	tb.Helper()
	var balancers []map[string]any
	for _, r := range rules {
		algorithm, servers := r.algorithm, r.servers
		if algorithm == "" {
			algorithm = "roundrobin"
		}
		if servers == 0 {
			servers = 3
		}
		b := map[string]any{
			"uuid": fmt.Sprintf("00000000-0000-4000-8000-%012d", r.port), "srcIp": "192.168.2.5", "srcPort": strconv.Itoa(r.port),
			"protocol": "tcp", "algorithm": algorithm, "revoked": strconv.FormatBool(r.revoked), "alreadyAdded": "false", "inline": "false",
		}
		var destinations []map[string]string
		for i := range servers {
			destinations = append(destinations, map[string]string{
				"destIp": fmt.Sprintf("10.0.1.%d", 11+i), "destPort": strconv.Itoa(r.port), "revoked": "false", "alreadyAdded": "false",
			})
		}
		b["destinations"] = destinations
		if r.method != "" {
			params := []map[string]string{}
			for _, p := range r.params {
				params = append(params, map[string]string{"t": p[0], "u": p[1]})
			}
			b["stickinessPolicies"] = []any{map[string]any{"methodName": r.method, "params": params}}
		}
		balancers = append(balancers, b)
	}
	data, err := json.Marshal(map[string]any{
		"loadBalancers": balancers, "lbStatsVisibility": "global", "lbStatsPublicIP": "192.168.2.4", "lbStatsPrivateIP": "169.254.228.201",
		"lbStatsGuestIP": "10.0.1.1", "lbStatsPort": "8081", "lbStatsSrcCidrs": "0/0", "lbStatsAuth": "admin1:AdMiN123",
		"lbStatsUri": "/admin?stats", "maxconn": "4096", "keepAliveEnabled": "false", "vpcId": "1",
		"accessDetails": map[string]string{"router.name": "r-3-VM", "router.ip": "169.254.228.201"},
	})
	require.NoError(tb, err)
	p, err := router.ParsePush(data)
	require.NoError(tb, err)
	return p
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

func sticky(port int) rule { return rule{port: port, method: "SourceBased"} }

func plain(port int) rule { return rule{port: port} }

func listTree(tb testing.TB) Options {
	tb.Helper()
	return Options{Tree: scriptstest.Tree(tb, scriptstest.List)}
}

func setTree(tb testing.TB) Options {
	tb.Helper()
	return Options{Tree: scriptstest.Tree(tb, scriptstest.Set)}
}
