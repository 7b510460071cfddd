package harness

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Known is a defect that releases are known to have.
type Known struct {
	// Releases are those that have it. Name the knob (release.Where) where the lab has one.
	Releases release.Range
	Why      string // upstream issue and the release that ends it
	// Classes are those of the failures that the defect shows. A failure of another class is news, beside them too.
	Classes []result.Class
	// Router says that the defect is in the router's own code, not in what the management server sends it: where the
	// two are of different releases the router's counts (Description.RouterCode).
	Router bool
	// Shows are the releases of the router's code with which a defect of the server shows; the zero value is all. Code
	// of an unknown release is taken for one of them.
	Shows release.Range
	// Perhaps says that the defect shows only where something else on the site brings it about, such as another
	// customer's VM: to pass is no surprise then.
	Perhaps bool
	// or are further defects that the same story meets (Or).
	or []Known
}

// Or is this defect and others, for a story that meets several. On a target the classes of those that it has are known.
func (k Known) Or(others ...Known) Known {
	k.or = append(slices.Clip(k.or), others...)
	return k
}

// each are the defects one by one.
func (k Known) each() []Known {
	alone := k
	alone.or = nil
	return append([]Known{alone}, k.or...)
}

// In says whether a target has the defect, or one of several. Where the router's code is of an unknown release, no
// defect of it is known.
func (k Known) In(d Description) bool { return len(k.on(d)) > 0 }

// on are the defects that a target has.
func (k Known) on(d Description) []Known {
	return slices.DeleteFunc(k.each(), func(one Known) bool { return !one.has(d) })
}

func (k Known) has(d Description) bool {
	if code := cmp.Or(d.RouterCode, d.Release); !k.Shows.IsZero() && code != UnknownRelease && !k.Shows.Contains(code) {
		return false
	}
	if k.Router && d.RouterCode != "" {
		return k.Releases.Contains(d.RouterCode)
	}
	return k.Releases.Contains(d.Release)
}

// News are those of the findings that are not of a defect which the target is known to have.
func (k Known) News(d Description, all []result.Finding) []result.Finding {
	var known []result.Class
	for _, one := range k.on(d) {
		known = append(known, one.Classes...)
	}
	return slices.DeleteFunc(slices.Clone(all), func(f result.Finding) bool { return slices.Contains(known, f.Class) })
}

// Reason says which defects a target has.
func (k Known) Reason(d Description) string {
	var why []string
	for _, one := range k.on(d) {
		why = append(why, one.Why)
	}
	return strings.Join(why, "; ")
}

// Reasons are those of all the defects that always show, whatever the target.
func (k Known) Reasons() string {
	var why []string
	for _, one := range k.each() {
		if !one.Perhaps && one.Why != "" {
			why = append(why, one.Why)
		}
	}
	return strings.Join(why, "; ")
}

// On says whether the release, with its own router's code, has the defect or one of several, so that the scenario fails
// on it.
func (k Known) On(release string) bool {
	return slices.ContainsFunc(k.each(), func(one Known) bool {
		return !one.Perhaps && one.Releases.Contains(release) && (one.Shows.IsZero() || one.Shows.Contains(release))
	})
}

// Sure says whether a target has a defect that always shows.
func (k Known) Sure(d Description) bool {
	return slices.ContainsFunc(k.on(d), func(one Known) bool { return !one.Perhaps })
}

func (k Known) String() string {
	var all release.Range
	for _, one := range k.each() {
		if !one.Perhaps {
			all = all.Or(one.Releases)
		}
	}
	return all.String()
}
