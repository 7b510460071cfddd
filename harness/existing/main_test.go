package existing

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}

// needLab skips where the lab's parts are missing; CI fails on a skip.
func needLab(t *testing.T) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	if err := errors.Join(noHAProxy, noDatabase, network.Check()); err != nil {
		t.Skip(err)
	}
}

type silent struct{}

func (silent) Scenario(string, string, int) {}
func (silent) Step(string, string)          {}
func (silent) Finished(result.Case)         {}

// eventually waits for a condition; the last observation is in the failure.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		if wait(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("waited for %s; last seen: %s", what, seen)
		}
	}
}

// recorded are the push lines of a running server of the release.
func recorded(t *testing.T, release string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "conformance", release, "lb-config-commands.log"))
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, pushWord) {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	require.NotEmpty(t, lines)
	return lines
}

// pushLine is the log line of a push without rules.
func pushLine(t *testing.T, name, mgmt, seq string) string {
	t.Helper()
	command, err := json.Marshal(map[string]any{router.CommandName: map[string]any{
		"loadBalancers": []any{}, "maxconn": "4096", "accessDetails": map[string]string{"router.name": name}}})
	require.NoError(t, err)
	return "2026-11-22 00:00:00,000 DEBUG [c.c.a.t.Request] (API-Job-Executor-1:[ctx-1]) (logid:1) Seq 1-" + seq +
		": Executing:  { Cmd , MgmtId: " + mgmt + ", via: 1(host), Ver: v1, Flags: 100001, [" + string(command) + "] }"
}
