package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// sent is a push of two rules, the second of which is sticky.
func sent() router.Push {
	return router.Push{LoadBalancers: []router.LoadBalancer{
		{UUID: "a", Algorithm: "source", CIDRList: "192.0.2.0/24", Destinations: []router.Destination{{IP: "10.0.0.1"},
			{IP: "10.0.0.2"}}},
		{UUID: "b", Algorithm: "leastconn", Destinations: []router.Destination{{IP: "10.0.0.1"}},
			Stickiness: []router.Stickiness{{Method: "SourceBased",
				Params: []router.Param{{Name: "tablesize", Value: "200k"}}}}},
	}}
}

// TestFaultsBetweenPushAndRouter: each changes what arrives, and never what was sent, which is what a fleet shows as
// pushed.
func TestFaultsBetweenPushAndRouter(t *testing.T) {
	for knob, want := range map[release.Knob]func(*router.Push){
		fault.RouterRuleMissing:   func(p *router.Push) { p.LoadBalancers = p.LoadBalancers[:1] },
		fault.RouterServerMissing: func(p *router.Push) { cut(p, 0); cut(p, 1) },
		fault.RouterAlgorithmIgnored: func(p *router.Push) {
			p.LoadBalancers[0].Algorithm, p.LoadBalancers[1].Algorithm = "roundrobin", "roundrobin"
		},
		fault.RouterSourceListIgnored: func(p *router.Push) { p.LoadBalancers[0].CIDRList = "" },
		fault.RouterTableTiny:         func(p *router.Push) { param(p, "tablesize", "1") },
		fault.RouterExpireShort:       func(p *router.Push) { param(p, "expire", "1ms") },
		fault.RouterPolicyOnWrongSection: func(p *router.Push) {
			p.LoadBalancers[0].Stickiness, p.LoadBalancers[1].Stickiness = p.LoadBalancers[1].Stickiness, nil
		},
	} {
		pushed, expected := sent(), sent()
		want(&expected)
		require.NotEqual(t, pushed, expected, "%s is told by the push", knob)
		assert.Equal(t, expected, mutations{release.Knobs{knob: true}}.Changed(pushed), knob)
		assert.Equal(t, sent(), pushed, "%s changes what was sent", knob)
	}
	assert.Equal(t, sent(), mutations{}.Changed(sent()), "no fault")
}

func cut(p *router.Push, rule int) {
	d := p.LoadBalancers[rule].Destinations
	p.LoadBalancers[rule].Destinations = d[:len(d)-1]
}

func param(p *router.Push, name, value string) {
	s := p.LoadBalancers[1].Stickiness
	s[0].Params = append(s[0].Params, router.Param{Name: name, Value: value})
}

// TestEveryFourthPushIsIgnored: one of four, counted from the first on, and none without the fault.
func TestEveryFourthPushIsIgnored(t *testing.T) {
	on := mutations{release.Knobs{fault.RouterChangeLostOnce: true}}
	var lost []int
	for n := 1; n <= 8; n++ {
		if on.Ignored(n) {
			lost = append(lost, n)
		}
		assert.False(t, mutations{}.Ignored(n))
	}
	assert.Equal(t, []int{4, 8}, lost)
}

// TestPlantedFaultsAreInTheDescription: a verdict must not be taken for one of the release.
func TestPlantedFaultsAreInTheDescription(t *testing.T) {
	knobs, err := release.ProfileKnobs("4.20.1.0")
	require.NoError(t, err)
	sound, err := New(Options{Release: "4.20.1.0", Knobs: knobs})
	require.NoError(t, err)
	assert.Equal(t, "model, rules of 4.20.1.0", sound.Describe().Router)
	knobs[fault.RouterTableTiny] = true
	faulty, err := New(Options{Release: "4.20.1.0", Knobs: knobs})
	require.NoError(t, err)
	assert.Equal(t, "model, rules of 4.20.1.0, planted: router-table-tiny", faulty.Describe().Router)
	require.NoError(t, sound.Close(t.Context()))
	require.NoError(t, faulty.Close(t.Context()))
	own, err := release.ProfileKnobs("4.22.1.0")
	require.NoError(t, err)
	verifies, err := New(Options{Release: "4.22.1.0", Knobs: own})
	require.NoError(t, err)
	assert.Equal(t, "model, rules of 4.22.1.0", verifies.Describe().Router, "what a release does is not planted")
	require.NoError(t, verifies.Close(t.Context()))
}

// TestWhatNoLabCanBeMadeOf: a release without a profile, and faults of the model in routers that run real scripts.
func TestWhatNoLabCanBeMadeOf(t *testing.T) {
	_, err := New(Options{Release: "3.0.0.0"})
	require.ErrorContains(t, err, "3.0.0.0")
	knobs, err := release.ProfileKnobs("4.20.1.0")
	require.NoError(t, err)
	knobs[fault.RouterFileStale] = true
	_, err = New(Options{Release: "4.20.1.0", Knobs: knobs, Scripts: &fleet.Scripts{}})
	require.ErrorContains(t, err, "leave out router-file-stale")
}

// TestFoldersOfLivingProcessesAreLeft: what a process that is gone left behind is found; what may be in use is not.
func TestFoldersOfLivingProcessesAreLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const gone = 1 << 30 // no process has this number (PID_MAX_LIMIT is 1 << 22)
	for _, pid := range []int{os.Getpid(), os.Getppid(), gone} {
		require.NoError(t, os.Mkdir(filepath.Join(os.TempDir(), "stackproof-lab-"+strconv.Itoa(pid)+"-x"), 0o700))
	}
	require.NoError(t, os.Mkdir(filepath.Join(os.TempDir(), "stackproof-lab-somebody"), 0o700))
	stale, err := staleFolders()
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(os.TempDir(), "stackproof-lab-"+strconv.Itoa(gone)+"-x")}, stale)
}
