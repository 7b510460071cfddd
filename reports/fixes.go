package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bug is a known defect, as the reason of a known failure tells it.
type bug struct {
	Issue string // e.g. #10789; "" where none is named
	Text  string
	Fixes []fix
}

// fix is a release that has a bug no more, and the pull requests that ended it.
type fix struct {
	Issues  []string
	Release string
}

var (
	bugBegins = regexp.MustCompile(`^(#\d{3,6})[:,] *`)
	fixBegins = regexp.MustCompile(`(?:^|[;,] )(?:fixed|ended) (?:by|in) `)
	fixWords  = regexp.MustCompile(`#\d{3,6}\b|\b\d+\.\d+(?:\.\d+)*\b`)
)

// bugsOf takes the reason of a known failure apart: "#1: rows stay open; fixed by #2 in 4.19.3.0 and #3 in 4.20.1.0".
// Several are in a row.
func bugsOf(why string) []bug {
	var all []bug
	for part := range strings.SplitSeq(line(why), "; ") {
		if m := bugBegins.FindStringSubmatchIndex(part); m != nil || len(all) == 0 {
			all = append(all, bug{})
			if m != nil {
				all[len(all)-1].Issue, part = part[m[2]:m[3]], part[m[1]:]
			}
		}
		b := &all[len(all)-1]
		if at := fixBegins.FindStringIndex(part); at != nil {
			b.Fixes = append(b.Fixes, fixesOf(part[at[0]:])...)
			part = part[:at[0]]
		}
		if part != "" {
			b.Text = strings.TrimPrefix(b.Text+"; "+part, "; ")
		}
	}
	return all
}

func fixesOf(text string) []fix {
	var all []fix
	var by []string
	told := false
	for _, word := range fixWords.FindAllString(text, -1) {
		switch {
		case !strings.HasPrefix(word, "#"):
			all, told = append(all, fix{by, word}), true
		case told:
			by, told = []string{word}, false
		default:
			by = append(by, word)
		}
	}
	if len(by) > 0 && !told { // in a release that is not named
		all = append(all, fix{by, ""})
	}
	return all
}

// ownFirst orders fixes for who runs a release: those that its own line has, then the others.
func ownFirst(fixes []fix, release string) (own, other []fix) {
	for _, f := range fixes {
		if mine := lineOf(release); mine != "" && lineOf(f.Release) == mine && later(f.Release, release) {
			own = append(own, f)
		} else {
			other = append(other, f)
		}
	}
	return own, other
}

var numbers = regexp.MustCompile(`^\d+(\.\d+)+`)

// lineOf are the first two numbers of a release; "" where it has none.
func lineOf(release string) string {
	parts := strings.Split(numbers.FindString(release), ".")
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// later says whether a release of the same line comes after another one.
func later(a, b string) bool {
	return slices.Compare(figures(a), figures(b)) > 0
}

func figures(release string) []int {
	var all []int
	for part := range strings.SplitSeq(numbers.FindString(release), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		all = append(all, n)
	}
	return all
}

// fixIssues are the pull requests that ended the bugs of a reason.
func fixIssues(why string) map[string]bool {
	set := map[string]bool{}
	for _, b := range bugsOf(why) {
		for _, f := range b.Fixes {
			for _, issue := range f.Issues {
				set[issue] = true
			}
		}
	}
	return set
}

func (f fix) String() string {
	by := ""
	if len(f.Issues) > 0 {
		by = "fix " + strings.Join(f.Issues, " and ")
	}
	switch {
	case f.Release == "":
		return "a release that is not named here (" + by + ")"
	case by == "":
		return f.Release
	}
	return fmt.Sprintf("%s (%s)", f.Release, by)
}

func fixText(fixes []fix) string {
	all := make([]string, len(fixes))
	for i, f := range fixes {
		all[i] = f.String()
	}
	return strings.Join(all, ", ")
}

// told is a bug with its fixes, that of the release's own line first.
func (b bug) told(release string) string {
	says := b.Text
	if b.Issue != "" {
		says = strings.TrimSuffix("bug "+b.Issue+": "+b.Text, ": ")
	}
	own, other := ownFirst(b.Fixes, release)
	if all := slices.Concat(own, other); len(all) > 0 {
		says += "; fixed in " + fixText(all)
	}
	return says
}

// todo says what somebody who runs a release does about a bug.
func (b bug) todo(release string) string {
	own, other := ownFirst(b.Fixes, release)
	name := "this bug"
	if b.Issue != "" {
		name = "bug " + b.Issue
	}
	switch {
	case len(own) > 0 && len(other) > 0:
		return fmt.Sprintf("update to %s or later, which is without %s. On other lines it is fixed in %s.",
			fixText(own), name, fixText(other))
	case len(own) > 0:
		return fmt.Sprintf("update to %s or later, which is without %s.", fixText(own), name)
	case len(other) > 0 && lineOf(release) == "":
		return fmt.Sprintf("%s is fixed in %s.", name, fixText(other))
	case len(other) > 0:
		return fmt.Sprintf("%s is fixed in %s. No release of the line %s with a fix is named here.", name,
			fixText(other), lineOf(release))
	}
	return ""
}
