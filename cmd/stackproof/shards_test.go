package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
)

// TestShardsOnOneZone runs a set as one run and then as two at once against the same zone: the verdicts are the same,
// on a release that is sound and on one with the defects, and nothing is left. Each of the two makes pushes fail in one
// story, and counts them in another.
func TestShardsOnOneZone(t *testing.T) {
	told := map[string]map[string]result.Verdict{}
	for _, name := range []string{release.Default, "4.20.0.0"} {
		knobs, err := release.ProfileKnobs(name)
		require.NoError(t, err)
		r := reach(t, zone.Options{Knobs: knobs})
		before, err := inventory.List(t.Context(), r.admin)
		require.NoError(t, err)
		whole := r.verdicts(t, "")
		require.Len(t, whole, 5, "four scenarios, and that nothing leaks")
		var part sync.WaitGroup
		parts := make([]map[string]result.Verdict, 2)
		for i, shard := range []string{"0/2", "1/2"} {
			part.Go(func() { parts[i] = r.verdicts(t, shard) })
		}
		part.Wait()
		both := map[string]result.Verdict{}
		for _, p := range parts {
			require.Len(t, p, 3, "half of the scenarios, and that nothing leaks")
			for id, v := range p {
				both[id] = v
			}
		}
		assert.Equal(t, whole, both, name)
		after, err := inventory.List(t.Context(), r.admin)
		require.NoError(t, err)
		assert.ElementsMatch(t, before, after, name)
		told[name] = whole
	}
	assert.NotEqual(t, told[release.Default], told["4.20.0.0"], "the verdicts must tell the releases apart")
}

// verdicts runs some scenarios, or a part of them, and reads what came of each.
func (r reached) verdicts(t *testing.T, shard string) map[string]result.Verdict {
	path := filepath.Join(t.TempDir(), "run.json")
	cmd := r.run(t, "U-01", "--scenario", "U-09", "--scenario", "L-01", "--scenario", "L-10", "--log", r.log,
		"--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key", r.zone.SecretKey(),
		"--json", path)
	if shard != "" {
		cmd.Args = append(cmd.Args, "--shard", shard)
	}
	said, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !assert.ErrorAs(t, err, &failed, string(said)) {
		return nil
	}
	f, err := os.Open(path)
	if !assert.NoError(t, err, string(said)) {
		return nil
	}
	defer func() { assert.NoError(t, f.Close()) }()
	run, err := result.Decode(f)
	if !assert.NoError(t, err) {
		return nil
	}
	all := map[string]result.Verdict{}
	for _, c := range run.Results {
		all[c.ID] = c.Verdict
		if c.Verdict == result.Inconclusive {
			assert.Fail(t, c.ID+" is undecided", c.Reason)
		}
	}
	return all
}
