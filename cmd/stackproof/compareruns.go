package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/stackproof/stackproof/harness/result"
)

// runComparison is what changed from one run to a later one.
type runComparison struct {
	Before  string    `json:"before"` // releases
	After   string    `json:"after"`
	Cases   []runCase `json:"cases"`
	New     []string  `json:"new"`     // failures that were none before
	Gone    []string  `json:"gone"`    // failures that are none any more
	Missing []string  `json:"missing"` // scenarios that were not run again
	// Undecided had an answer before and have none now.
	Undecided []string `json:"undecided"`
}

// runCase is one scenario in both runs. Traffic is what clients saw: spread, reachability and stickiness.
type runCase struct {
	ID            string         `json:"id"`
	Before        result.Verdict `json:"before"`
	After         result.Verdict `json:"after"`
	TrafficBefore string         `json:"traffic_before,omitempty"`
	TrafficAfter  string         `json:"traffic_after,omitempty"`
}

// failures are what a case fails by: the classes of its findings, or its reason where it has none.
func failures(c result.Case) []string {
	if c.Verdict != result.Fail {
		return nil
	}
	var all []string
	for _, f := range c.Findings {
		if class := string(f.Class); class != "" && !slices.Contains(all, class) {
			all = append(all, class)
		}
	}
	if len(all) == 0 {
		all = []string{"failure"}
	}
	return all
}

func compareRuns(before, after result.Run) runComparison {
	c := runComparison{
		Before:    before.Release,
		After:     after.Release,
		Cases:     []runCase{},
		New:       []string{},
		Gone:      []string{},
		Missing:   []string{},
		Undecided: []string{},
	}
	was := map[string]result.Case{}
	for _, one := range before.Results {
		was[one.ID] = one
	}
	now := map[string]bool{}
	for _, one := range after.Results {
		now[one.ID] = true
		old, there := was[one.ID]
		c.Cases = append(c.Cases, runCase{one.ID, old.Verdict, one.Verdict, traffic(old), traffic(one)})
		for _, class := range failures(one) {
			if !there || !slices.Contains(failures(old), class) {
				c.New = append(c.New, fmt.Sprintf("%s %s: %s", one.ID, class, one.Reason))
			}
		}
		for _, class := range failures(old) {
			if !slices.Contains(failures(one), class) {
				c.Gone = append(c.Gone, fmt.Sprintf("%s %s: %s", one.ID, class, old.Reason))
			}
		}
		if there && one.Verdict == result.Inconclusive && old.Verdict != result.Inconclusive ||
			there && one.Verdict == result.Unsupported && old.Verdict != result.Unsupported {
			c.Undecided = append(
				c.Undecided,
				fmt.Sprintf("%s was %s and is %s: %s", one.ID, old.Verdict, one.Verdict, one.Reason),
			)
		}
	}
	for _, one := range before.Results {
		if !now[one.ID] {
			c.Missing = append(c.Missing, one.ID+" has no result any more")
		}
	}
	for _, id := range after.Missing() {
		c.Missing = append(c.Missing, id+" was planned and has no result")
	}
	return c
}

// traffic sums up what a case's clients saw: who was answered, by how many backends, and who was sent to more than one.
func traffic(c result.Case) string {
	var all []string
	for _, g := range c.Grids {
		moved, answered := 0, 0
		used := map[int]bool{}
		for _, client := range g.Clients {
			own := map[int]bool{}
			for _, backend := range client.Rule {
				if backend >= 0 {
					own[backend], used[backend] = true, true
				}
			}
			if len(own) > 0 {
				answered++
			}
			if len(own) > 1 {
				moved++
			}
		}
		all = append(
			all,
			fmt.Sprintf(
				"%s %s: %d of %d clients answered by %d backends, %d moved",
				g.Rule,
				g.Verdict,
				answered,
				len(g.Clients),
				len(used),
				moved,
			),
		)
	}
	return strings.Join(all, "; ")
}

func (c runComparison) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Runs of %s and %s.\n", c.Before, c.After)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tBEFORE\tAFTER\tTRAFFIC BEFORE\tTRAFFIC AFTER")
	for _, one := range c.Cases {
		before := string(one.Before)
		if before == "" {
			before = "not run"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", one.ID, before, one.After, one.TrafficBefore, one.TrafficAfter)
	}
	_ = w.Flush() // of a strings.Builder
	for _, part := range []struct {
		title string
		lines []string
	}{{"New failures", c.New}, {"Not decided any more", c.Undecided}, {"Missing", c.Missing},
		{"Failures that are gone", c.Gone}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(&b, "\n%s (%d):\n  %s\n", part.title, len(part.lines), strings.Join(part.lines, "\n  "))
		}
	}
	if len(c.New)+len(c.Missing)+len(c.Undecided) == 0 {
		b.WriteString("\nNothing is worse than before.\n")
	}
	return b.String()
}
