package routers

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// TestLiveFileMustBeThePush (I10): clients may look right while the file is not what was sent.
func TestLiveFileMustBeThePush(t *testing.T) {
	const sticky = "listen 192_0_2_1-80\n\tbind 192.0.2.1:80\n\tbalance roundrobin\n\tstick-table type ip size 200k " +
		"expire 30m\n\tstick on src\n"
	r := &objects.Rule{Address: &objects.Address{IP: netip.MustParseAddr("192.0.2.1")}, Port: 80}
	s := seen{rule: r, rendered: router.Rendered{Config: strings.Split(strings.TrimSuffix(sticky, "\n"), "\n")}}
	for name, c := range map[string]struct {
		live string
		ok   bool
	}{
		"the same":        {sticky, true},
		"without a table": {strings.Replace(sticky, "\tstick on src\n", "", 1), false},
		"no section":      {"", false},
	} {
		s.files.Live = []byte(c.live)
		why, ok := s.inForce()
		assert.Equal(t, c.ok, ok, "%s: %s", name, why)
	}
}

// TestOneSideDecides: what a rule's own side shows is judged where its control is sound.
func TestOneSideDecides(t *testing.T) {
	two := []router.Destination{{IP: "10.0.0.1", Port: 80}, {IP: "10.0.0.2", Port: 80}}
	sound := dataplane.Side{Backends: []string{"10.0.0.1:80", "10.0.0.2:80"}, Moved: 20}
	one := dataplane.Side{Backends: []string{"10.0.0.1:80"}}
	obs := func(target, control dataplane.Side, distinct int) dataplane.Observation {
		entries := 1
		return dataplane.Observation{Clients: 31, Target: target, Control: control,
			Sources: dataplane.Sources{Told: 31, Distinct: distinct, TableUsed: &entries}}
	}
	for name, c := range map[string]struct {
		members []router.Destination
		obs     dataplane.Observation
		class   result.Class
	}{
		"one backend of two":       {two, obs(one, sound, 0), result.WrongBackends},
		"one backend of one":       {two[:1], obs(one, sound, 0), ""},
		"the control has one, too": {two, obs(one, one, 0), ""},
		"a request failed": {two, dataplane.Observation{Clients: 31, Target: one, Control: sound,
			Failures: []dataplane.Failure{{}}}, ""},
		"one entry for all clients":  {two, obs(sound, sound, 31), result.NotSticky},
		"clients behind one address": {two, obs(sound, sound, 1), ""},
	} {
		s := seen{pushed: &router.LoadBalancer{Destinations: c.members}, obs: c.obs, rule: &objects.Rule{Port: 80,
			Address: &objects.Address{IP: netip.MustParseAddr("192.0.2.1")}},
			files: router.Files{Live: []byte("listen 192_0_2_1-80\n\tstick-table type ip size 1k\n\tstick on src\n")}}
		class, _ := s.oneSided()
		assert.Equal(t, c.class, class, name)
	}
}
