package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Unlike says which fields the database has otherwise; each is what the API says and what the row says.
func Unlike(what string, fields map[string][2]string) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if pair := fields[name]; pair[0] != pair[1] {
			wrong = append(wrong, fmt.Sprintf("%s: the API says %s %q, the database %q", what, name, pair[0], pair[1]))
		}
	}
	return wrong
}

// Each is what each of the things is or has.
func Each[T, R any](things []T, of func(T) R) []R {
	all := make([]R, len(things))
	for i, thing := range things {
		all[i] = of(thing)
	}
	return all
}

// Stamp is a time as verdicts say it.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// StampOf is Stamp for the end of a row, which may be open.
func StampOf(t *time.Time) string {
	if t == nil {
		return "open"
	}
	return Stamp(*t)
}

// Table lays out rows under a tab-separated heading.
func Table(heading string, fill func(row func(...any))) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, heading)
	fill(func(cells ...any) {
		fmt.Fprintln(tw, strings.Join(Each(cells, func(c any) string { return fmt.Sprint(c) }), "\t"))
	})
	_ = tw.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
