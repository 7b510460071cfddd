package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/lab"
)

// TestNamedTwins: a quick proof of chosen scenarios plants what they name, so that no other fault counts as surviving.
func TestNamedTwins(t *testing.T) {
	planned := func(o proveOptions) []string {
		o.release, o.repeat, o.workers, o.start = "4.20.1.0", 1, 1, startFlag{lab.Epoch()}
		p, err := o.plan()
		require.NoError(t, err)
		var ids []string
		for _, twin := range p.Twins {
			ids = append(ids, string(twin.ID))
		}
		return ids
	}
	assert.ElementsMatch(t, []string{"usage-unknown-blocks", "usage-portable-releases-all", "usage-ip-close-nothing"},
		planned(proveOptions{named: true, scenarios: []string{"U-32"}}))
	assert.Contains(t, planned(proveOptions{scenarios: []string{"U-32"}}), "push-lost",
		"all are swept over the chosen scenarios")
	assert.Equal(t, []string{"push-lost"},
		planned(proveOptions{scenarios: []string{"U-32"}, twins: []string{"push-lost"}}), "asked for by name")
	assert.Equal(t, []string{"usage-unknown-blocks"}, planned(proveOptions{named: true, scenarios: []string{"U-32"},
		twins: []string{"usage-u*"}}))

	o := proveOptions{release: "4.20.1.0", repeat: 1, workers: 1, start: startFlag{lab.Epoch()}, named: true,
		scenarios: []string{"U-32"}, twins: []string{"usage-*", "push-lost"}}
	_, err := o.plan()
	var exit *exitError
	require.ErrorAs(t, err, &exit, "a twin without a pair is not run, and so does not survive")
	assert.Equal(t, exitUsage, exit.code)
	assert.ErrorContains(t, err, `none of the scenarios U-32 names a twin "push-lost"`)
}
