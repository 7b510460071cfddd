package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// mostCauses bounds how many causes a case tells.
const mostCauses = 3

// causes say why usage rows of a failed case are wrong, a deleted thing each, as far as the rows themselves show it: a
// server that looks a row up by the resource's id instead of by the resource closes the row that has this helper id.
// Whoever it belongs to is billed no longer, and the deleted thing's own row stays open.
func causes(c result.Case) []string {
	if c.Verdict != result.Fail {
		return nil
	}
	var all []string
	for _, dead := range c.Lives {
		if says := causeOf(dead, c.Lives); says != "" {
			all = append(all, says)
		}
	}
	if more := len(all) - mostCauses; more > 0 {
		all = append(all[:mostCauses], fmt.Sprintf("It was the same with %s more.", counted(more, "deleted resource")))
	}
	return all
}

func causeOf(dead result.Life, lives []result.Life) string {
	if dead.Died == nil || dead.ID == dead.HelperID {
		return ""
	}
	if own := ownRows(dead, lives); len(own) > 1 {
		return causeOfSeveral(dead, own)
	}
	who, died := called(dead), clockOf(*dead.Died)
	says := fmt.Sprintf("%s has internal id %d, and its own usage row has helper id %d. ", who, dead.ID, dead.HelperID)
	victim := holder(dead, lives)
	gone := "So " + who + " is gone and is billed on"
	if victim == nil {
		if dead.Closed != nil || dead.Class != string(result.LeakedRow) {
			return ""
		}
		return says + fmt.Sprintf("Its delete at %s did not close row %d. None of the rows below has helper id %d. %s.",
			died, dead.HelperID, dead.ID, gone)
	}
	other := called(*victim)
	theirs := fmt.Sprintf("The row with helper id %d is that of %s (internal id %d)", dead.ID, other, victim.ID)
	closed := fmt.Sprintf(". The delete of %s at %s closed row %d (%s's)", who, died, dead.ID, other)
	switch {
	case closedBy(dead, *victim) && dead.Closed == nil:
		return says + theirs + closed + fmt.Sprintf(" instead of row %d (its own). %s%s.", dead.HelperID, gone,
			harm(*victim))
	case closedBy(dead, *victim):
		return says + theirs + closed + fmt.Sprintf(" besides row %d (its own)%s.", dead.HelperID, harm(*victim))
	case dead.Closed != nil || dead.Class != string(result.LeakedRow):
		return ""
	}
	return says + fmt.Sprintf("Its delete at %s did not close row %d. ", died, dead.HelperID) + theirs + " and " +
		state(*victim) + ". " + gone + "."
}

// closedBy says whether a delete closed another one's row: at its time, and not at that of the other one's own delete.
func closedBy(dead, victim result.Life) bool {
	return victim.Closed != nil && victim.Closed.Equal(*dead.Died) &&
		(victim.Died == nil || !victim.Died.Equal(*dead.Died))
}

// holder is another one's row that has a thing's id as its helper id.
func holder(dead result.Life, lives []result.Life) *result.Life {
	for _, l := range lives {
		if l.Kind == dead.Kind && l.HelperID == dead.ID && l.ID != dead.ID {
			return &l
		}
	}
	return nil
}

// ownRows are all the rows of a thing.
func ownRows(dead result.Life, lives []result.Life) []result.Life {
	var own []result.Life
	for _, l := range lives {
		if l.Kind == dead.Kind && l.ID == dead.ID {
			own = append(own, l)
		}
	}
	return own
}

// causeOfSeveral tells once, with the first of the rows that are open, which rows of a thing its delete left open.
func causeOfSeveral(dead result.Life, own []result.Life) string {
	var all, closed, open []int64
	for _, l := range own {
		all = append(all, l.HelperID)
		switch {
		case l.Closed == nil:
			open = append(open, l.HelperID)
		case l.Closed.Equal(*dead.Died):
			closed = append(closed, l.HelperID)
		}
	}
	if len(open) == 0 || dead.HelperID != open[0] || dead.Class == "" {
		return ""
	}
	did := "closed none of them and"
	if len(closed) > 0 {
		did = "closed " + rowNumbers(closed) + " and"
	}
	return fmt.Sprintf("%s (internal id %d) has %d usage rows, of the helper ids %s. Its delete at %s %s left %s "+
		"open. So it is gone and is billed on.", called(dead), dead.ID, len(own), listed(all), clockOf(*dead.Died), did,
		rowNumbers(open))
}

func rowNumbers(rows []int64) string {
	if len(rows) == 1 {
		return fmt.Sprintf("row %d", rows[0])
	}
	return "rows " + listed(rows)
}

func listed(numbers []int64) string {
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, ", ")
}

// mendable says whether rows are wrong that stackproof repair can mend: those of rules.
func mendable(c result.Case) bool {
	return slices.ContainsFunc(c.Lives, func(l result.Life) bool {
		return l.Class != "" && slices.Contains([]string{"load balancer rule", "port forwarding rule"}, l.Kind)
	})
}

// harm says what it means for one whose row was closed by another's delete.
func harm(victim result.Life) string {
	if victim.Died == nil {
		return ", and " + called(victim) + " is alive and is billed no longer"
	}
	return ", and " + called(victim) + " was billed until then instead of until its own delete at " +
		clockOf(*victim.Died)
}

func state(l result.Life) string {
	if l.Closed == nil {
		return "is open"
	}
	return "was closed at " + clockOf(*l.Closed)
}

// called is a life's name; without one, its kind and id.
func called(l result.Life) string {
	if name := line(l.Name); name != "" {
		return shorten(name, longest)
	}
	return shorten(line(fmt.Sprintf("%s %d", l.Kind, l.ID)), longest)
}

func clockOf(t time.Time) string { return t.UTC().Format("15:04:05") }
