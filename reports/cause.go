package reports

import (
	"fmt"
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
	who, died := called(dead), clockOf(*dead.Died)
	says := fmt.Sprintf("%s has internal id %d, and its own usage row has helper id %d. ", who, dead.ID, dead.HelperID)
	victim := holder(dead, lives)
	gone := "So " + who + " is gone and is billed on"
	if victim == nil {
		if dead.Closed != nil || dead.Class != string(result.LeakedRow) {
			return ""
		}
		return says + fmt.Sprintf("Its delete at %s did not close row %d, and closed no other row: none of the rows "+
			"below has helper id %d. %s.", died, dead.HelperID, dead.ID, gone)
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
