package harnesstest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// NeedLab ends a test that needs the parts of a lab where one is missing: HAProxy, a database server, or the right to
// make namespaces.
func NeedLab(t testing.TB) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	require.NoError(t, errors.Join(noHAProxy, noDatabase, network.Check()), "the parts of a lab (see ci/setup)")
}

// patience is how long Eventually waits, and step how often it looks.
const (
	patience = time.Minute
	step     = 5 * time.Millisecond
)

// Eventually waits for a condition; the last observation is in the failure.
func Eventually(t testing.TB, what string, holds func() (ok bool, seen string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s for %s; last seen: %s", patience, what, seen)
		case <-time.After(step):
		}
	}
}

// Recorded are the lines of a running server of the release that carry pushes.
func Recorded(t testing.TB, release string) []string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	data, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "testdata", "conformance", release,
		"lb-config-commands.log"))
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, "LoadBalancerConfigCommand") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	require.NotEmpty(t, lines)
	return lines
}

// PushLine is the log line of a push without rules.
func PushLine(t testing.TB, name, mgmt, seq string) string {
	t.Helper()
	command, err := json.Marshal(map[string]any{router.CommandName: map[string]any{
		"loadBalancers": []any{}, "maxconn": "4096", "accessDetails": map[string]string{"router.name": name}}})
	require.NoError(t, err)
	return "2026-11-22 00:00:00,000 DEBUG [c.c.a.t.Request] (API-Job-Executor-1:[ctx-1]) (logid:1) Seq 1-" + seq +
		": Executing:  { Cmd , MgmtId: " + mgmt + ", via: 1(host), Ver: v1, Flags: 100001, [" + string(command) + "] }"
}
