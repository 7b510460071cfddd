package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

func read(t *testing.T, lines ...string) []Step {
	t.Helper()
	steps, err := Read(strings.NewReader("stackproof-replay 1\n" + strings.Join(lines, "\n") + "\n"))
	require.NoError(t, err)
	return steps
}

// TestGenerate: what is drawn has a meaning, is the same for the same seed, can be written and read, and holds what
// U-26 is about, whatever the seed.
func TestGenerate(t *testing.T) {
	verbs := map[string]int{}
	refusals := 0
	for seed := range int64(20) {
		steps := Generate(seed, 200)
		require.Len(t, steps, 200)
		assert.Equal(t, steps, Sensible(steps), "seed %d", seed)
		assert.Equal(t, words(steps), words(Generate(seed, 200)))
		var file strings.Builder
		require.NoError(t, Write(&file, "two\nlines", steps))
		again, err := Read(strings.NewReader(file.String()))
		require.NoError(t, err, "seed %d", seed)
		assert.Equal(t, steps, again)
		sticky, deleted := 0, 0
		for _, s := range steps {
			verbs[s.Verb]++
			if s.Verb == Stick {
				sticky++
			}
			if s.Verb == Delete {
				deleted++
			}
			if s.Refused {
				refusals++
			}
		}
		assert.Greater(t, sticky, 3, "seed %d", seed)
		assert.Greater(t, deleted, 3, "seed %d", seed)
	}
	assert.NotEqual(t, words(Generate(1, 200)), words(Generate(2, 200)))
	for verb := range forms() {
		assert.Positive(t, verbs[verb], "%s is never drawn", verb)
	}
	assert.Positive(t, refusals)
}

// TestGolden: a replay file of version 1 is read as it was written then.
func TestGolden(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "all-steps.replay"))
	require.NoError(t, err)
	steps, err := Read(strings.NewReader(string(data)))
	require.NoError(t, err)
	var file strings.Builder
	require.NoError(t, Write(&file, "every kind of step", steps))
	assert.Equal(t, string(data), file.String())
	seen := map[string]bool{}
	for _, s := range steps {
		seen[s.Verb] = true
	}
	assert.Len(t, seen, len(forms()), "the file has every verb")
}

func TestReadRefuses(t *testing.T) {
	const begin = "stackproof-replay 1\n"
	for name, c := range map[string]struct{ text, says string }{
		"nothing":          {"", "no steps"},
		"no header":        {"usage\n", "must begin with"},
		"other version":    {"stackproof-replay 2\nusage\n", "this program reads version 1"},
		"no steps":         {begin + "# nothing\n\n", "no steps"},
		"unknown verb":     {begin + "explode lb1\n", `line 2: "explode lb1" is no step`},
		"unknown customer": {begin + "create lb1 for mallory on ip1\n", "line 2"},
		"no address":       {begin + "create lb1 for anna\n", "rules are created on an address"},
		"group on address": {begin + "create group1 for anna on ip1\n", "groups on none"},
		"not there":        {begin + "delete lb1\n", "line 2: \"delete lb1\" cannot come here: lb1 is not there"},
		"twice":            {begin + "create lb1 for anna on ip1\ncreate lb1 for anna on ip1\n", "line 3"},
		"PF on LB's address": {begin + "create lb1 for anna on ip1\ncreate pf1 for anna on ip1\n",
			"carries other rules"},
		"another's address": {begin + "create lb1 for anna on ip1\ncreate lb2 for bert on ip1\n",
			"carries other rules"},
		"firewall in a VPC": {begin + "create fw1 for anna on ip1\n", "only carl"},
		"refused time":      {begin + "pass 5s, push refused\n", "sends no push"},
		"refused PF":        {begin + "create pf1 for anna on ip1\ndelete pf1, push refused\n", "sends no push"},
		"words left over":   {begin + "usage twice\n", "is not a step"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text))
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("stackproof-replay 1\ncreate lb1 for anna on ip1\nstick lb1 plain, push refused\nusage\n")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var file strings.Builder
		require.NoError(t, Write(&file, "", steps))
		again, err := Read(strings.NewReader(file.String()))
		require.NoError(t, err)
		assert.Equal(t, steps, again)
	})
}

// TestState: what the model says of refusals, and of what a refused push leaves behind in every release.
func TestState(t *testing.T) {
	var m state
	do := func(lines ...string) {
		for _, s := range read(t, append([]string{"create lb1 for anna on ip1", "create group1 for anna"},
			lines...)...)[2:] {
			m.done(s)
		}
	}
	for _, s := range read(t, "create lb1 for anna on ip1", "create group1 for anna") {
		m.done(s)
	}
	assert.Equal(t, 530, m.mustBeRefused(Step{Verb: Delete, Object: "group1"}), "a rule with a group")
	assert.Zero(t, m.mustBeRefused(Step{Verb: Delete, Object: "lb1"}))
	assert.Equal(t, 530, m.mustBeRefused(Step{Verb: Delete, Object: "lb1", Refused: true}))

	do("assign lb1", "stick lb1 plain")
	assert.True(t, m.rules["lb1"].members)
	assert.Equal(t, "plain", m.rules["lb1"].policy)
	m.done(Step{Verb: Unstick, Object: "lb1", Refused: true})
	assert.Equal(t, "plain", m.rules["lb1"].policy, "a refused removal leaves the policy")
	m.done(Step{Verb: Stick, Object: "lb1", Word: "short", Refused: true})
	assert.True(t, m.rules["lb1"].policyLost, "the former policy goes with the next push")
	assert.NotEmpty(t, m.cannot(Step{Verb: Unstick, Object: "lb1"}))
	m.done(Step{Verb: Stick, Object: "lb1", Word: "short"})
	assert.False(t, m.rules["lb1"].policyLost)
	m.done(Step{Verb: Delete, Object: "lb1", Refused: true})
	assert.True(t, m.rules["lb1"].alive)
	assert.NotEmpty(t, m.cannot(Step{Verb: Stick, Object: "lb1", Word: "plain"}),
		"an undecided rule can only be deleted")
	assert.Empty(t, m.cannot(Step{Verb: Delete, Object: "lb1"}))
	assert.NotEmpty(t, m.cannot(Step{Verb: Release, Object: "ip1"}))
	m.done(Step{Verb: Delete, Object: "lb1"})
	assert.False(t, m.rules["lb1"].alive)
	m.done(Step{Verb: Release, Object: "ip1"})
	assert.NotEmpty(t, m.cannot(Step{Verb: Create, Object: "lb9", Owner: "anna", Address: "ip1"}))
}

// TestShrink: a fault that needs three steps among two hundred is cut down to those and what they stand on.
func TestShrink(t *testing.T) {
	for seed := range int64(10) {
		steps := Generate(seed, 200)
		// Two different rules with the same policy at once, of one customer.
		fails := func(some []Step) bool {
			var m state
			for _, s := range some {
				m.done(s)
				sticky := map[string]int{}
				for _, r := range m.living() {
					if r.policy == "plain" && r.members && !r.policyLost {
						sticky[r.owner]++
					}
				}
				for _, n := range sticky {
					if n > 1 {
						return true
					}
				}
			}
			return false
		}
		if !fails(steps) {
			continue
		}
		asked := 0
		shortest := Shrink(steps, func(some []Step) (bool, bool) {
			asked++
			assert.Equal(t, some, Sensible(some), "only lists with a meaning are asked about")
			return fails(some), false
		})
		assert.True(t, fails(shortest))
		assert.LessOrEqual(t, len(shortest), 6, "seed %d: %s", seed, words(shortest))
		assert.Less(t, asked, 200, "seed %d", seed)
		for i := range shortest {
			less := Sensible(slices.Delete(slices.Clone(shortest), i, i+1))
			assert.False(t, fails(less), "seed %d: %s can be left out", seed, shortest[i])
		}
	}
}

func TestShrinkStops(t *testing.T) {
	asked := 0
	steps := Generate(3, 60)
	got := Shrink(steps, func([]Step) (bool, bool) { asked++; return false, true })
	assert.Equal(t, 1, asked)
	assert.Equal(t, steps, got)
}
