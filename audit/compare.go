package audit

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Comparison is what changed from one audit of a site to a later one.
type Comparison struct {
	Classes []ClassChange `json:"classes"`
	// New are findings and refused rules that the earlier audit did not have, Gone those that the later one does not
	// have.
	New  []string `json:"new"`
	Gone []string `json:"gone"`
	// Checks whose outcome became worse.
	Worse []string `json:"worse"`
	// Notes are differences that explain others: another release, another site.
	Notes []string `json:"notes"`
}

// ClassChange counts a class before and after.
type ClassChange struct {
	Class         string  `json:"class"`
	Before        int     `json:"before"`
	After         int     `json:"after"`
	New           int     `json:"new"`
	Gone          int     `json:"gone"`
	SurplusBefore float64 `json:"surplus_before"`
	SurplusAfter  float64 `json:"surplus_after"`
}

// Word says what became of the class.
func (c ClassChange) Word() string {
	switch {
	case c.New > 0 && c.Gone > 0:
		return "changed"
	case c.New > 0:
		return "grown"
	case c.Gone > 0:
		return "shrunk"
	}
	return "unchanged"
}

// identity names a finding so that it is found again in a later audit.
func (f Finding) identity() string {
	return fmt.Sprintf("%s %s %d %s account %d row %d", f.Class, f.Kind, f.ID, f.Part, f.AccountID, f.HelperID)
}

func (p Poison) identity() string { return fmt.Sprintf("%s rule %d %s", p.Class, p.Rule, p.What) }

// Compare compares two audits of one site. It refuses those of different sites.
func Compare(before, after *Result) (*Comparison, error) {
	if before.Site.Fingerprint != after.Site.Fingerprint {
		return nil, badInput(
			fmt.Errorf("the audits are of different sites, %s and %s", before.Site.Fingerprint, after.Site.Fingerprint),
		)
	}
	if after.Site.Taken.Before(before.Site.Taken) {
		return nil, badInput(
			fmt.Errorf(
				"the second audit was taken at %s, before the first one at %s: give the earlier one first",
				stamp(after.Site.Taken),
				stamp(before.Site.Taken),
			),
		)
	}
	c := &Comparison{New: []string{}, Gone: []string{}, Worse: []string{}, Notes: []string{}}
	if before.Site.Version != after.Site.Version {
		c.Notes = append(c.Notes, fmt.Sprintf("the release was %s and is %s", before.Site.Version, after.Site.Version))
	}
	old, now := identities(before), identities(after)
	changes := map[string]*ClassChange{}
	of := func(class string) *ClassChange {
		if changes[class] == nil {
			changes[class] = &ClassChange{Class: class}
		}
		return changes[class]
	}
	for _, f := range before.Findings {
		x := of(f.Class)
		x.Before++
		x.SurplusBefore += f.SurplusHours
		if _, there := now[f.identity()]; !there {
			x.Gone++
			c.Gone = append(c.Gone, f.Text)
		}
	}
	for _, f := range after.Findings {
		x := of(f.Class)
		x.After++
		x.SurplusAfter += f.SurplusHours
		if _, there := old[f.identity()]; !there {
			x.New++
			c.New = append(c.New, f.Text)
		}
	}
	for _, p := range before.Poison {
		of("L1 "+p.Class).Before++
		if _, there := now[p.identity()]; !there {
			of("L1 "+p.Class).Gone++
			c.Gone = append(c.Gone, p.String())
		}
	}
	for _, p := range after.Poison {
		of("L1 "+p.Class).After++
		if _, there := old[p.identity()]; !there {
			of("L1 "+p.Class).New++
			c.New = append(c.New, p.String())
		}
	}
	for _, class := range sortedKeys(changes) {
		c.Classes = append(c.Classes, *changes[class])
	}
	c.worse(before, after)
	return c, nil
}

func identities(r *Result) map[string]bool {
	all := map[string]bool{}
	for _, f := range r.Findings {
		all[f.identity()] = true
	}
	for _, p := range r.Poison {
		all[p.identity()] = true
	}
	return all
}

// worse lists checks without findings of their own that became worse, and a standstill that is new.
func (c *Comparison) worse(before, after *Result) {
	own := []string{"U1", "U2", "U3", "U4", "U5", "U13", "L1", "L7"} // told by their findings
	for _, check := range after.Checks {
		was := before.Check(check.ID)
		switch {
		case slices.Contains(own, check.ID) || was.Outcome == "":
		case check.Outcome == Found && (was.Outcome != Found || check.Count > was.Count):
			c.Worse = append(c.Worse, fmt.Sprintf("%s %s: %s", check.ID, check.Title, check.Text))
		case check.Outcome != was.Outcome && was.Outcome == Clean:
			c.Worse = append(
				c.Worse,
				fmt.Sprintf("%s %s: could be decided before, not now: %s", check.ID, check.Title, check.Text),
			)
		}
	}
	c.Worse = append(c.Worse, compareTraffic(before.Traffic, after.Traffic)...)
	if after.Stall != nil && before.Stall == nil {
		c.Worse = append(
			c.Worse,
			fmt.Sprintf("the usage server stands still since %s", stamp(after.Stall.BlockedSince)),
		)
	}
}

// Unexplained says whether anything is worse than before.
func (c *Comparison) Unexplained() bool { return len(c.New)+len(c.Worse) > 0 }

// Text is the comparison for a terminal.
func (c *Comparison) Text() string {
	var b strings.Builder
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "%s.\n", n)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLASS\tBEFORE\tAFTER\t\tNEW\tGONE")
	for _, x := range c.Classes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\n", x.Class, x.Before, x.After, x.Word(), x.New, x.Gone)
	}
	_ = w.Flush() // of a strings.Builder
	for _, part := range []struct {
		title string
		lines []string
	}{{"New", c.New}, {"Worse", c.Worse}, {"Gone", c.Gone}} {
		if len(part.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s (%d):\n", part.title, len(part.lines))
		for i, line := range part.lines {
			if i == evidenceLines {
				fmt.Fprintf(&b, "  and %d more (--json)\n", len(part.lines)-i)
				break
			}
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if !c.Unexplained() {
		b.WriteString("\nNothing is worse than before.\n")
	}
	return b.String()
}
