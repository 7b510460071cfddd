package release

import (
	"slices"
	"strings"
)

// Range is a set of known releases. It follows code, not numbers: a fix of 4.20.3.0 is in 4.22.1.0, not in 4.21.0.0.
// The zero value holds no release.
type Range struct {
	of History
	in []bool
}

// Everywhere is every release.
func Everywhere() Range { return history().where(func(Profile) bool { return true }) }

// Where is every release in which a knob is on.
func Where(k Knob) Range {
	h := history()
	return h.where(func(p Profile) bool { return h.knobs(p)[k] })
}

// Without is every release in which a knob is off.
func Without(k Knob) Range {
	h := history()
	return h.where(func(p Profile) bool { return !h.knobs(p)[k] })
}

// since is every release whose code contains one of these.
func since(first ...string) Range {
	h := history()
	return h.where(func(p Profile) bool {
		return slices.ContainsFunc(first, func(name string) bool { return h.contains(p, name) })
	})
}

// fixedIn is every release whose code contains none of these.
func fixedIn(first ...string) Range { return since(first...).not() }

func (r Range) not() Range {
	in := make([]bool, len(r.in))
	for i, holds := range r.in {
		in[i] = !holds
	}
	return Range{r.of, in}
}

// Or is every release that is in either.
func (r Range) Or(other Range) Range {
	if r.IsZero() {
		return other
	}
	in := slices.Clone(r.in)
	for i, holds := range other.in {
		in[i] = in[i] || holds
	}
	return Range{r.of, in}
}

// IsZero says whether no release is in it.
func (r Range) IsZero() bool { return !slices.Contains(r.in, true) }

// Contains says whether a release is in the range: any patch level of a known line, with any suffix. One that is newer
// than all is taken for the newest, one that is older for the oldest. What is no version is in no range.
func (r Range) Contains(name string) bool {
	v, err := Parse(name)
	if err != nil || r.IsZero() {
		return false
	}
	p, ok := r.of.inLine(v)
	if !ok {
		p = r.of.nearest(v)
	}
	return r.in[slices.IndexFunc(r.of, func(q Profile) bool { return q.Name == p.Name })]
}

// Profiles names the releases of the range of which the lab has a zone.
func (r Range) Profiles() []string {
	var names []string
	for i, holds := range r.in {
		if holds && !r.of[i].Outline {
			names = append(names, r.of[i].Name)
		}
	}
	return names
}

// String is the range in words, such as "up to 4.19.2, 4.20.0" or "4.22.0 and later"; empty for no release.
func (r Range) String() string {
	var words []string
	for i := 0; i < len(r.in); i++ {
		if !r.in[i] {
			continue
		}
		first := i
		for i+1 < len(r.in) && r.in[i+1] {
			i++
		}
		words = append(words, r.run(first, i))
	}
	return strings.Join(words, ", ")
}

func (r Range) run(first, last int) string {
	from, to := short(r.of[first].Name), short(r.of[last].Name)
	switch {
	case first == 0 && last == len(r.of)-1:
		return "all"
	case first == 0:
		return "up to " + to
	case first == last: // also a branch, after which nothing comes
		return from
	case last == len(r.of)-1:
		return from + " and later"
	}
	return from + "–" + to
}

// short leaves out a last number that is 0.
func short(name string) string { return strings.TrimSuffix(name, ".0") }

// The ranges of differences that no knob makes.

// RevokedMembersListed is where listLoadBalancerRuleInstances shows members that were removed (#7174).
func RevokedMembersListed() Range { return fixedIn("4.19.0.0") }

// RowsByResourceID is where usage rows are looked up by the id of their resource: the fix of the helper-id defect is in
// (#10712, #9888). Releases from before the defect are not among them.
func RowsByResourceID() Range { return since("4.19.3.0", "4.20.1.0") }
