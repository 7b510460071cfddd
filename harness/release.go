package harness

import (
	"fmt"
	"strconv"
	"strings"
)

// Span is an inclusive range of CloudStack releases; an empty end is open. "4.19.2" as an end covers 4.19.2.x.
type Span struct{ From, To string }

// Contains says whether a release such as "4.19.1.0" lies in the span. A release that cannot be read lies in none.
func (s Span) Contains(release string) bool {
	r, err := parseRelease(release)
	if err != nil {
		return false
	}
	if s.From != "" {
		from, err := parseRelease(s.From)
		if err != nil || compareParts(r, from) < 0 {
			return false
		}
	}
	if s.To != "" {
		to, err := parseRelease(s.To)
		if err != nil || compareParts(r[:min(len(to), len(r))], to) > 0 {
			return false
		}
	}
	return true
}

func (s Span) String() string {
	switch {
	case s.From == "" && s.To == "":
		return "all"
	case s.From == "":
		return "up to " + s.To
	case s.To == "":
		return s.From + " and later"
	case s.From == s.To:
		return s.From
	}
	return s.From + "–" + s.To
}

// parseRelease reads "4.19.1.0", also with a suffix such as "-SNAPSHOT" or "-shapeblue1".
func parseRelease(release string) ([]int, error) {
	plain, _, _ := strings.Cut(release, "-")
	words := strings.Split(plain, ".")
	if len(words) < 2 {
		return nil, fmt.Errorf("release %q is not of the form 4.19.1.0", release)
	}
	parts := make([]int, len(words))
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("release %q is not of the form 4.19.1.0", release)
		}
		parts[i] = n
	}
	return parts, nil
}

func compareParts(a, b []int) int {
	for i := range max(len(a), len(b)) {
		var x, y int
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return x - y
		}
	}
	return 0
}
