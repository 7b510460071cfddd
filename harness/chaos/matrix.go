package chaos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Matrix counts outcomes by fault.
type Matrix struct{ Trials []Tried }

// Bad are the trials with an outcome that no fault may have.
func (m Matrix) Bad() []Tried {
	return slices.DeleteFunc(slices.Clone(m.Trials), func(t Tried) bool { return t.Outcome.Allowed() })
}

// Faults is how many faults befell runs, those without any left out.
func (m Matrix) Faults() (n int) {
	for _, t := range m.Trials {
		for _, f := range t.Faults {
			if f != "none" {
				n++
			}
		}
	}
	return n
}

// String is a table: a line for each fault that was met, a column for each outcome. A trial with two faults counts in
// both lines.
func (m Matrix) String() string {
	counts := map[string]map[Outcome]int{}
	for _, t := range m.Trials {
		for _, f := range t.Faults {
			if counts[f] == nil {
				counts[f] = map[Outcome]int{}
			}
			counts[f][t.Outcome]++
		}
	}
	var b strings.Builder
	line := func(name string, cell func(Outcome) string) {
		fmt.Fprintf(&b, "| %-22s |", name)
		for _, o := range Outcomes() {
			fmt.Fprintf(&b, " %*s |", len(o), cell(o))
		}
		b.WriteByte('\n')
	}
	line("fault", func(o Outcome) string { return string(o) })
	line(strings.Repeat("-", 22), func(o Outcome) string { return strings.Repeat("-", len(o)) })
	for _, f := range Faults() {
		if c := counts[f.Name]; c != nil {
			line(f.Name, func(o Outcome) string { return cmp.Or(fmt.Sprint(c[o]), "") })
		}
	}
	return b.String()
}

// Shrink cuts a failing trial down: to fewer faults, then to an earlier call. Fails says whether a trial still fails.
func Shrink(ctx context.Context, t Trial, fails func(context.Context, Trial) (bool, error)) (Trial, error) {
	for i := 0; i < len(t.Faults) && len(t.Faults) > 1; {
		less := t
		less.Faults = slices.Delete(slices.Clone(t.Faults), i, i+1)
		still, err := fails(ctx, less)
		if err != nil {
			return t, err
		}
		if still {
			t = less
			continue
		}
		i++
	}
	for step := t.Call / 2; step > 0; step /= 2 {
		earlier := t
		earlier.Call = t.Call - step
		if earlier.Call < 1 {
			continue
		}
		still, err := fails(ctx, earlier)
		if err != nil {
			return t, err
		}
		if still {
			t = earlier
		}
	}
	return t, nil
}
