package chaos

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// What is left and what is missing are both seen, in lists and in rows.
func TestDifference(t *testing.T) {
	vpc := inventory.Object{Kind: inventory.VPC, ID: "1", Name: "theirs"}
	rule := inventory.Object{Kind: inventory.VPC, ID: "2", Name: "sp-b"}
	row := inventory.Row{Table: "vpc", ID: 2, Name: "sp-b"}
	before := inventory.Snapshot{Objects: []inventory.Object{vpc}}
	for name, c := range map[string]struct {
		after inventory.Snapshot
		want  []string
	}{
		"nothing": {before, nil},
		"an object": {inventory.Snapshot{Objects: []inventory.Object{vpc, rule}},
			[]string{rule.String() + " is left"}},
		"a row": {inventory.Snapshot{Objects: []inventory.Object{vpc}, Rows: []inventory.Row{row}},
			[]string{row.String() + " is left"}},
		"other people's": {inventory.Snapshot{}, []string{vpc.String() + " is missing"}},
	} {
		assert.Equal(t, c.want, difference(before, c.after), name)
	}
}

// What one run left is not held against the runs after it, and what the next one leaves is seen all the same.
func TestNews(t *testing.T) {
	of := func(names ...string) (s inventory.Snapshot) {
		for _, name := range names {
			s.Objects = append(s.Objects, inventory.Object{Kind: inventory.Domain, ID: name, Name: name})
		}
		return s
	}
	s := &Site{before: of("theirs"), told: map[string]bool{}}
	assert.Len(t, s.news(of("theirs", "sp1-domain")), 1)
	assert.Empty(t, s.news(of("theirs", "sp1-domain")))
	assert.Len(t, s.news(of("theirs", "sp1-domain", "sp2-domain")), 1)
	assert.Empty(t, s.news(of("theirs", "sp2-domain")), "what went later is nobody's fault")
	assert.Len(t, s.news(of("sp2-domain")), 1, "what was there before the runs is missing")
}

// A process that goes on is named; one that has ended, or that only has the same number, is not.
func TestEnded(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	p, _, ok := look(cmd.Process.Pid)
	require.True(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, []string{p.String()}, ended(ctx, []process{p}))
	assert.Empty(t, ended(ctx, []process{{p.pid, "1", "another"}}))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	assert.Empty(t, ended(t.Context(), []process{p}))
}

// All points are tried in order, or as many as are wanted; a seed draws the same ones again.
func TestPoints(t *testing.T) {
	all := points(20, 1, 0)
	assert.Len(t, all, 2*(20+2))
	assert.Equal(t, []Point{{1, false}, {1, true}, {2, false}}, all[:3])
	some := points(100, 1, 10)
	assert.Len(t, some, 10)
	assert.Equal(t, some, points(100, 1, 10))
	assert.NotEqual(t, some, points(100, 2, 10))
	assert.IsIncreasing(t, func() (calls []int) {
		for _, p := range some {
			n := 2 * p.Call
			if p.After {
				n++
			}
			calls = append(calls, n)
		}
		return calls
	}())
}

// A secret is seen in what a run says, in its files, and in packed ones.
func TestSecrets(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("x CANARY y"))
	require.NoError(t, errors.Join(err, w.Close()))
	for name, c := range map[string]struct {
		said  string
		file  []byte
		shown bool
	}{
		"nothing": {"ok", []byte("ok"), false},
		"said":    {"key CANARY", nil, true},
		"written": {"", []byte("{\"key\":\"CANARY\"}"), true},
		"packed":  {"", packed.Bytes(), true},
	} {
		run := &child{dir: t.TempDir()}
		_, err := run.said.Write([]byte(c.said))
		require.NoError(t, err)
		require.NoError(t, run.folders())
		require.NoError(t, os.WriteFile(filepath.Join(run.temp(), "f"), c.file, 0o600))
		got, err := run.shows(map[string]string{"the key": "CANARY"})
		require.NoError(t, err)
		assert.Equal(t, c.shown, len(got) > 0, "%s: %v", name, got)
	}
}
