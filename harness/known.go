package harness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Known is a defect that releases are known to have.
type Known struct {
	// Releases are those that have it. Name the knob (release.Where) where the lab has one.
	Releases release.Range
	// Knob is the lab's, where it has one: a site on which it is off does not have the defect, whatever the release.
	// Of an improvement that ends the defect it is the word that switches it off.
	Knob release.Knob
	Why  string // upstream issue and the release that ends it
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
	if d.Knobs != nil && k.Knob != "" && !(k.Router && d.RouterCode != "") && !k.switched(d.Knobs) {
		return false
	}
	if code := cmp.Or(d.RouterCode, d.Release); !k.Shows.IsZero() && code != UnknownRelease && !k.Shows.Contains(code) {
		return false
	}
	if k.Router && d.RouterCode != "" {
		return k.Releases.Contains(d.RouterCode)
	}
	return k.Releases.Contains(d.Release)
}

// switched says whether a lab's knobs have the defect on.
func (k Known) switched(knobs release.Knobs) bool {
	if name, off := strings.CutSuffix(string(k.Knob), string(release.Knob("").Off())); off {
		return !knobs[release.Knob(name)]
	}
	return knobs[k.Knob]
}

// hidden says whether a defect that something else on the site brought about is among the facts: it may hide how others
// show.
func (k Known) hidden(d Description, facts []result.Finding) bool {
	return slices.ContainsFunc(k.on(d), func(one Known) bool {
		return one.Perhaps && slices.ContainsFunc(facts, func(f result.Finding) bool {
			return slices.Contains(one.Classes, f.Class)
		})
	})
}

// News are those of the findings that are not of a defect which the target is known to have. A defect of which the
// story foresaw how it shows is known by that alone: each fact must be one of the foreseen, and each of those must have
// come. Others are known by their classes.
func (k Known) News(d Description, facts []result.Finding, foreseen []Foreseen) (news []result.Finding) {
	var classes []result.Class
	exact := map[release.Knob]bool{}
	for _, f := range foreseen {
		exact[f.Knob] = true
	}
	for _, one := range k.on(d) {
		if one.Knob == "" || !exact[one.Knob] {
			classes = append(classes, one.Classes...)
		}
	}
	came := make([]int, len(foreseen))
	for _, fact := range facts {
		if !ofClasses(fact, facts, classes) && !foretold(fact, foreseen, came) {
			news = append(news, fact)
		}
	}
	if len(facts) == 0 || len(news) > 0 || k.hidden(d, facts) {
		return news
	}
	for i, f := range foreseen {
		if came[i] == 0 {
			news = append(news, result.Finding{Class: f.Class,
				Says: fmt.Sprintf("of the defect itself this did not show: %s", f.About)})
		}
	}
	return news
}

// ofClasses says whether a fact is of one of the classes, or is brought about by one that is, of the same subject.
func ofClasses(fact result.Finding, facts []result.Finding, classes []result.Class) bool {
	return slices.Contains(classes, fact.Class) || slices.ContainsFunc(facts, func(cause result.Finding) bool {
		return fact.Subject != "" && cause.Subject == fact.Subject && slices.Contains(classes, cause.Class) &&
			fact.Follows(cause)
	})
}

// foretold says whether a fact is, in all that was seen, what was foreseen, and counts it.
func foretold(fact result.Finding, foreseen []Foreseen, came []int) bool {
	if len(fact.Seen) == 0 {
		return false
	}
	so := slices.Clone(came)
	for _, s := range fact.Seen {
		i := 0
		for i < len(foreseen) && !(foreseen[i].is(fact, s) && (foreseen[i].Most == 0 || so[i] < foreseen[i].Most)) {
			i++
		}
		if i == len(foreseen) {
			return false
		}
		so[i]++
	}
	copy(came, so)
	return true
}

// Reason says which defects a target has. One that shows only perhaps is among them where a fact is of its classes and
// no defect that always shows accounts for it.
func (k Known) Reason(d Description, facts []result.Finding) string {
	var why []string
	var sure []result.Class
	for _, one := range k.on(d) {
		if !one.Perhaps {
			sure = append(sure, one.Classes...)
		}
	}
	for _, one := range k.on(d) {
		if !one.Perhaps || slices.ContainsFunc(facts, func(f result.Finding) bool {
			return slices.Contains(one.Classes, f.Class) && !slices.Contains(sure, f.Class)
		}) {
			why = append(why, one.Why)
		}
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

// ReasonsOn are those of the defects that always show on a release, with its own router's code.
func (k Known) ReasonsOn(release string) string {
	var why []string
	for _, one := range k.each() {
		if one.shows(release) {
			why = append(why, one.Why)
		}
	}
	return strings.Join(why, "; ")
}

// On says whether the release, with its own router's code, has the defect or one of several, so that the scenario fails
// on it.
func (k Known) On(release string) bool {
	return slices.ContainsFunc(k.each(), func(one Known) bool { return one.shows(release) })
}

// shows says whether the defect always shows on a release.
func (k Known) shows(release string) bool {
	return !k.Perhaps && k.Releases.Contains(release) && (k.Shows.IsZero() || k.Shows.Contains(release))
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

// Foreseen is one way in which a known defect shows, to the value. With it a known failure excuses nothing beside the
// defect: a wrong row of another resource, or the same row with another date, is a failure of its own.
type Foreseen struct {
	Knob    release.Knob // the defect
	Class   result.Class
	Subject string // as in the finding; empty: of nothing in particular
	// Holds says whether what was seen is the known wrong value. It is asked when the story has ended.
	Holds func(result.Seen) bool
	Most  int    // how often it may show; 0 is any number
	About string // in words, for a run in which it does not show
}

func (f Foreseen) is(fact result.Finding, s result.Seen) bool {
	return f.Class == fact.Class && f.Subject == fact.Subject && f.Holds(s)
}

// Foresee says how a known defect will show in this story, if the target has it. All failures must then be of these,
// and each of these must come; else the failure is not the known one.
func (t *Attempt) Foresee(all ...Foreseen) {
	for _, f := range all {
		if t.Meets(f.Knob) {
			t.foreseen = append(t.foreseen, f)
		}
	}
}

// Meets says whether the scenario is known to meet a defect on this target.
func (t *Attempt) Meets(defect release.Knob) bool {
	return t.scenario.KnownBad.knows(defect, t.site.Description)
}

// knows says whether the target has one defect of several.
func (k Known) knows(knob release.Knob, d Description) bool {
	for _, one := range k.on(d) {
		if one.Knob == knob {
			return true
		}
	}
	return false
}
