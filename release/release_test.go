package release

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"4.20": "4.20.0.0", "4.20.1": "4.20.1.0", "4.20.1.0": "4.20.1.0", "4.22.0.0-SNAPSHOT": "4.22.0.0-SNAPSHOT",
		"4.19.1.3-shapeblue1": "4.19.1.3-shapeblue1", "main": "main",
	} {
		v, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, v.String())
	}
	for _, text := range []string{"", "4", "newest", "4.20.0.0.1", "v4.20.1.0", "4.20.", "4.20.1.0-", " 4.20", "4.x",
		"99999.1"} {
		_, err := Parse(text)
		assert.ErrorContains(t, err, "is not a version", text)
	}
}

func TestCompare(t *testing.T) {
	sorted := []string{"4.9.3", "4.19.1.0", "4.19.1.3", "4.19.2.0", "4.20", "4.20.0.1", "4.20.10", "5.0", "main"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := version(a).Compare(version(b))
			assert.Equal(t, i < j, got < 0, "%s before %s", a, b)
			assert.Equal(t, i == j, got == 0, "%s equals %s", a, b)
		}
	}
	assert.Zero(t, version("4.20.0.0-SNAPSHOT").Compare(version("4.20")), "a snapshot stands where its release stands")
}

// faults names what is wrong with a history.
func faults(h History) (found []string) {
	say := func(p Profile, what string) { found = append(found, p.Name+": "+what) }
	var names []string
	for i, p := range h {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if v, err := Parse(name); err != nil || v.String() != name || slices.Contains(names, name) {
				say(p, "its name is no full version, or is there twice: "+name)
			}
			names = append(names, name)
		}
		if i == 0 {
			if p.After != "" {
				say(p, "the oldest follows nothing")
			}
			continue
		}
		if version(h[i-1].Name).Compare(version(p.Name)) >= 0 {
			say(p, "is out of order")
		}
		if p.After == "" {
			say(p, "follows nothing")
		}
		for _, before := range append([]string{p.After}, p.Also...) {
			if !slices.ContainsFunc(h[:i], func(q Profile) bool { return q.Name == before }) {
				say(p, "continues what is no earlier release: "+before)
			}
		}
	}
	if len(found) > 0 { // knobs of a line of descent that goes in circles cannot be told
		return found
	}
	for _, p := range h[1:] {
		before, _ := h.named(p.After)
		had := h.knobs(before)
		for _, k := range p.On {
			if had[k] {
				say(p, "switches on what was on: "+string(k))
			}
		}
		for _, k := range p.Off {
			if !had[k] {
				say(p, "switches off what was off: "+string(k))
			}
		}
	}
	return found
}

func TestHistoryIsSound(t *testing.T) {
	h := history()
	assert.Empty(t, faults(h))
	var listed []Knob
	for _, k := range AllKnobs() {
		listed = append(listed, k.Name)
		assert.NotEmpty(t, k.About, k.Name)
		assert.False(t, Where(k.Name).IsZero(), "no release has %s on", k.Name)
	}
	for _, p := range h {
		for k := range h.knobs(p) {
			assert.Contains(t, listed, k, p.Name)
		}
	}
	assert.Contains(t, All(), Default)
}

// TestFaultsAreSeen plants what TestHistoryIsSound must find.
func TestFaultsAreSeen(t *testing.T) {
	for want, change := range map[string]func(h History){
		"its name is no full version": func(h History) { h[3].Name = "4.18" },
		"is there twice":              func(h History) { h[4].Aliases = []string{h[2].Name} },
		"is out of order":             func(h History) { h[4], h[5] = h[5], h[4] },
		"follows nothing":             func(h History) { h[6].After = "" },
		"the oldest follows nothing":  func(h History) { h[0].After = h[1].Name },
		"no earlier release":          func(h History) { h[6].Also = []string{"4.22.0.0"} },
		"on what was on":              func(h History) { h[6].On = []Knob{UsageCloseByHelperID} },
		"off what was off":            func(h History) { h[6].Off = []Knob{RouterVerifies} },
	} {
		h := history()
		change(h)
		found := faults(h)
		assert.Contains(t, strings.Join(found, "; "), want)
	}
}

func TestResolve(t *testing.T) {
	for name, want := range map[string]string{
		"4.19.1.0": "4.19.1.0", "4.19.1.3": "4.19.1.0", "4.20": "4.20.0.0", "4.20.1.0-SNAPSHOT": "4.20.1.0",
		"4.17.99": "4.17.0.0", "4.18.2.3": "4.18.2.0", "4.20.4.0": "4.20.3.0", "4.22.0.1": "4.22.0.0",
		"4.21.1.0": "4.21.0.0", "4.23.0.0-SNAPSHOT": "main", "4.23.1.0-nightly": "main", "main": "main",
	} {
		got, err := Resolve(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	for name, want := range map[string]string{
		"4.15.2.0": "nearest known is 4.16.0.0", "3.0": "nearest known is 4.16.0.0",
		"4.23.0.0": "nearest known is main", "4.23.0.0-acme1": "nearest known is main",
		"4.24": "nearest known is main",
		"4.99": "nearest known is " +
			history()[len(history())-1].Name,
	} {
		_, err := Resolve(name)
		assert.ErrorContains(t, err, want, name)
	}
}

// TestRangesFollowCode: 4.21.0.0 is older code than 4.20.3.0, and 4.19.0.0 than 4.18.2.0.
func TestRangesFollowCode(t *testing.T) {
	for _, c := range []struct {
		r    Range
		in   []string
		out  []string
		text string
	}{
		{since("4.20.3.0"), []string{"4.20.3.0", "4.20.4.0", "4.22.1.0"}, []string{"4.20.2.0", "4.21.0.0", "4.22.0.1"},
			"4.20.3, 4.22.1 and later"},
		{fixedIn("4.18.2.0"), []string{"4.18.1.0", "4.19.0.0", "4.16.1.0"}, []string{"4.18.2.5", "4.19.1.0"},
			"up to 4.18.1, 4.19.0"},
		{Where(UsageCloseByHelperID), []string{"4.16.1.0", "4.19.2.7", "4.20.0.0-SNAPSHOT"},
			[]string{"4.16.0.0", "4.19.3.0", "4.20.1.0", "4.21.0.0"},
			"4.16.1–4.19.2, 4.20.0"},
		{Where(RestartRendersOneTier), []string{"4.18.0.0", "4.18.1.9", "4.19.0.0"}, []string{"4.17.0.0", "4.18.2.5",
			"4.19.1.0"}, "4.18.0–4.18.1, 4.19.0"},
		{Where(VRCompareAsSet), []string{"4.19.1.3", "4.16.0.0"}, []string{"4.19.2.0", "4.20.0.0"}, "up to 4.19.1"},
		{Where(SoftDeleteRules), []string{"main", "4.23.0.0-SNAPSHOT", "4.99"}, []string{"4.22.1.0"}, "main"},
		{Where(UsageBackupLeftOpen), []string{"4.21.0.0"}, []string{"4.20.3.0", "4.22.0.0"}, "4.21.0"},
		{Everywhere(), []string{"4.16.0.0", "4.99.0.0", "main", "4.2"}, []string{"unknown", ""}, "all"},
		{Range{}, nil, []string{"4.20.1.0"}, ""},
	} {
		for _, name := range c.in {
			assert.True(t, c.r.Contains(name), "%s in %s", name, c.text)
		}
		for _, name := range c.out {
			assert.False(t, c.r.Contains(name), "%s not in %s", name, c.text)
		}
		assert.Equal(t, c.text, c.r.String())
	}
	both := Where(NetworkUsageModelOld).Or(since("4.22.1.0"))
	assert.Equal(t, "4.19.1–4.19.2, 4.20.0, 4.22.1 and later", both.String())
	assert.Equal(t, both, Range{}.Or(both))
	assert.True(t, Range{}.IsZero())
	assert.False(t, both.IsZero())
}

// TestANewReleaseIsOneEntry adds a release that changes nothing: it has all that its predecessor has.
func TestANewReleaseIsOneEntry(t *testing.T) {
	h := history()
	before, _ := h.named("4.20.2.0")
	at := slices.IndexFunc(h, func(p Profile) bool { return p.Name == before.Name }) + 1
	h = slices.Insert(h, at, Profile{Name: "4.20.2.7", After: before.Name})
	assert.Empty(t, faults(h))
	added, err := h.resolve("4.20.2.7")
	require.NoError(t, err)
	require.Equal(t, "4.20.2.7", added.Name)
	assert.Equal(t, h.knobs(before), h.knobs(added))
	for _, first := range history() {
		assert.Equal(t, h.contains(before, first.Name), h.contains(added, first.Name), "columns since %s", first.Name)
	}
	for _, k := range AllKnobs() {
		r := h.where(func(p Profile) bool { return h.knobs(p)[k.Name] })
		assert.Equal(t, r.Contains(before.Name), r.Contains("4.20.2.7"), k.Name)
		assert.Equal(t, slices.Contains(r.Profiles(), before.Name), slices.Contains(r.Profiles(), "4.20.2.7"), k.Name)
	}
}

func TestUpgradePath(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"4.19.1.0", "4.19.1.0", "4.19.3.0"},
		{"4.19.3.0", "4.19.2.0", "4.19.3.0"},
		{"4.20.0.0", "4.20.0.0", "4.20.1.0"},
		{"4.20.2.0", "4.20.0.0", "4.20.2.0"},
	} {
		from, to, ok := UpgradePath(c.name)
		assert.True(t, ok, c.name)
		assert.Equal(t, []string{c.from, c.to}, []string{from, to}, c.name)
	}
	_, _, ok := UpgradePath("4.99")
	assert.False(t, ok)
}

func TestProfilesAndKnobs(t *testing.T) {
	_, err := ProfileKnobs("4.18.0.0")
	assert.ErrorContains(t, err, `release "4.18.0.0" has no profile: want one of 4.18.2.5`)
	_, err = ProfileKnobs("4.19.1.3")
	assert.ErrorContains(t, err, "has no profile", "the lab is of a release that exists")
	on, err := KnobsOf("4.19.1.3")
	require.NoError(t, err)
	own, err := ProfileKnobs("4.19.1.0")
	require.NoError(t, err)
	assert.Equal(t, own, on)
	_, err = KnobsOf("4.15.0.0")
	assert.ErrorContains(t, err, "nearest known is 4.16.0.0")
	_, err = Contains("4.20.1.0", "4.20.9.9")
	assert.ErrorContains(t, err, "not in the history")
	assert.Regexp(t, `^4\.16 to `, Known())
	for _, p := range Profiles() {
		assert.Equal(t, p.Name == "main", p.Becomes != "", p.Name)
	}
}
