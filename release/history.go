package release

import (
	"fmt"
	"slices"
	"strings"
)

// Profile is what is known of one release: whose code it continues, and what changed.
type Profile struct {
	// Name is the release's version, such as 4.20.1.0.
	Name string
	// After is the release whose behaviour it has, but for On and Off. Only the oldest has none.
	After string
	// Also are other releases whose code it contains, by ancestry of the commits. They decide ranges and columns.
	Also []string
	// On and Off are the knobs in which it differs from After.
	On, Off []Knob
	// Aliases are releases that do not differ from it in anything that is looked at here.
	Aliases []string
	// Becomes is the line that a branch will be, as far as is known now: its builds have the branch's behaviour, the
	// release itself is unknown until somebody has looked.
	Becomes string
	// Outline says that the lab has no zone of it: known are its router, and which defects it has.
	Outline bool
}

// History is every known release, in the order of their numbers.
type History []Profile

// version reads a name of the history, which is sound (a test walks it).
func version(name string) Version {
	v, _ := Parse(name)
	return v
}

// named is the profile of exactly that release, or of one that does not differ from it.
func (h History) named(name string) (Profile, bool) {
	i := slices.IndexFunc(h, func(p Profile) bool { return p.Name == name || slices.Contains(p.Aliases, name) })
	if i < 0 {
		return Profile{}, false
	}
	return h[i], true
}

// resolve is the profile that a release has: its own, or that of the newest release of its line that came before it.
// The error of a release outside all lines names the nearest that is known.
func (h History) resolve(name string) (Profile, error) {
	v, err := Parse(name)
	if err != nil {
		return Profile{}, err
	}
	if p, ok := h.inLine(v); ok {
		return p, nil
	}
	return Profile{}, &UnknownError{Release: name, Nearest: h.nearest(v).Name}
}

// UnknownError says that a release is outside all known lines, and which known one is the nearest.
type UnknownError struct{ Release, Nearest string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("release %s is not known: the nearest known is %s", e.Release, e.Nearest)
}

func (h History) inLine(v Version) (found Profile, ok bool) {
	for _, p := range h {
		if p.Becomes != "" && v.snapshot() && version(p.Becomes).sameLine(v) {
			return p, true
		}
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if own := version(name); own.sameLine(v) && own.Compare(v) <= 0 {
				found, ok = p, true
			}
		}
	}
	return found, ok
}

// nearest is the newest release with a lower number, or the oldest of all; a branch counts as what it will be.
func (h History) nearest(v Version) Profile {
	found := h[0]
	for _, p := range h {
		if version(p.Name).Compare(v) <= 0 || p.Becomes != "" && version(p.Becomes).Compare(v) <= 0 {
			found = p
		}
	}
	return found
}

// knobs is the set of a profile: its predecessor's with what changed.
func (h History) knobs(p Profile) Knobs {
	set := Knobs{}
	if before, ok := h.named(p.After); ok {
		set = h.knobs(before)
	}
	for _, k := range p.On {
		set[k] = true
	}
	for _, k := range p.Off {
		delete(set, k)
	}
	return set
}

// contains says whether the code of a release contains that of another, or is it.
func (h History) contains(p Profile, first string) bool {
	if p.Name == first {
		return true
	}
	return slices.ContainsFunc(append([]string{p.After}, p.Also...), func(name string) bool {
		before, ok := h.named(name)
		return ok && h.contains(before, first)
	})
}

// where is the range of the releases for which it holds.
func (h History) where(holds func(Profile) bool) Range {
	r := Range{in: make([]bool, len(h)), of: h}
	for i, p := range h {
		r.in[i] = holds(p)
	}
	return r
}

// Profiles is every known release, in the order of their numbers.
func Profiles() []Profile { return history() }

// All lists the releases of which the lab has a zone, in the order of their numbers.
func All() []string {
	var names []string
	for _, p := range history() {
		if !p.Outline {
			names = append(names, p.Name)
		}
	}
	return names
}

// Known names the oldest and the newest release that are known, for help texts: "4.16 to 4.22".
func Known() string {
	h := history()
	line := func(name string) string {
		if v := version(name); !v.main {
			return fmt.Sprintf("%d.%d", v.parts[0], v.parts[1])
		}
		return name
	}
	return line(h[0].Name) + " to " + line(h[len(h)-1].Name)
}

// Resolve names the known release whose behaviour a release has: itself, or the newest of its line that came before it.
// A release outside the known lines is an error that names the nearest.
func Resolve(name string) (string, error) {
	p, err := history().resolve(name)
	return p.Name, err
}

// ProfileKnobs is the set of a release of which the lab has a zone; any other is an error.
func ProfileKnobs(name string) (Knobs, error) {
	h := history()
	p, ok := h.named(name)
	if !ok || p.Outline {
		return nil, fmt.Errorf("release %q has no profile: want one of %s", name, strings.Join(All(), ", "))
	}
	return h.knobs(p), nil
}

// KnobsOf is the set of any known release, also of one of which the lab has no zone, such as 4.19.1.3 or 4.16.1.0.
func KnobsOf(name string) (Knobs, error) {
	h := history()
	p, err := h.resolve(name)
	if err != nil {
		return nil, err
	}
	return h.knobs(p), nil
}

// Contains says whether the code of a release contains that of another, or is it. Both are resolved; an unknown one is
// an error.
func Contains(name, first string) (bool, error) {
	h := history()
	p, err := h.resolve(name)
	if err != nil {
		return false, err
	}
	began, ok := h.named(first)
	if !ok {
		return false, fmt.Errorf("release %s is not in the history", first)
	}
	return h.contains(p, began.Name), nil
}

// UpgradePath names two releases with lab zones on either side of the fix of the helper-id defect, one of them the
// release itself. ok is false where no such upgrade leads from or to it.
func UpgradePath(name string) (from, to string, ok bool) {
	h := history()
	own, known := h.named(name)
	if !known {
		return "", "", false
	}
	broken := h.knobs(own)[UsageCloseByHelperID]
	var best Profile
	for _, p := range h {
		if p.Outline || h.knobs(p)[UsageCloseByHelperID] == broken {
			continue
		}
		switch {
		case broken && best.Name == "" && h.contains(p, own.Name), !broken && h.contains(own, p.Name):
			best = p
		}
	}
	if best.Name == "" {
		return "", "", false
	}
	if broken {
		return name, best.Name, true
	}
	return best.Name, name, true
}
