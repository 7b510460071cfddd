package usageprobe

import (
	"slices"
	"time"
)

// Stall is a usage run that meets the same duplicate key of a volume again and again (#13399, confirmed.md 45): the
// event of that volume and all that stood before it are never processed, and every run begins at the first of them once
// more, so that all records since then are written again. What came later is handled rightly.
type Stall struct {
	By     UsageEvent // the volume's event
	From   time.Time  // where each run begins
	behind []UsageEvent
}

// Stall finds the stall of the usage runs, whoever's volume brought it about; ok is false where there is none. The
// newest of the events that wait is a volume's, and runs have succeeded since it was copied.
func (s Snapshot) Stall() (stall Stall, ok bool) {
	for _, e := range s.Waiting {
		if !e.Created.After(s.Cutoff) {
			stall.behind = append(stall.behind, e)
		}
	}
	if len(stall.behind) == 0 {
		return stall, false
	}
	slices.SortStableFunc(stall.behind, byTime)
	stall.From, stall.By = stall.behind[0].Created, stall.behind[len(stall.behind)-1]
	return stall, slices.Contains([]string{"VOLUME.CREATE", "VOLUME.RESIZE", "VOLUME.ATTACH"}, stall.By.Type)
}

func byTime(a, b UsageEvent) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return int(a.ID - b.ID)
}

// Holds says whether an event of the resource is among those that are never processed.
func (s Stall) Holds(ref Ref) bool { return slices.ContainsFunc(s.behind, ref.Concerns) }

// explains says whether a violation is what the stall does: a missing row of what it holds, an event that waits, a run
// that begins at its start, and records that are written again.
func (s Stall) explains(v Violation, c *checker) bool {
	switch v.Invariant {
	case "I2":
		return v.Ref.Kind != "" && s.Holds(v.Ref)
	case "I6":
		return slices.ContainsFunc(s.behind, func(e UsageEvent) bool { return e.ID == v.HelperID })
	case "I7":
		return slices.ContainsFunc(c.Jobs, func(j Job) bool {
			return j.ID == v.HelperID && j.Start.Sub(s.From).Abs() < time.Second
		})
	case "I4", "I5", "I8":
		return v.Class == ClassOther || v.Class == ClassDuplicateNetwork
	}
	return false
}

// stalled gives what a stall explains its class.
func (c *checker) stalled() {
	stall, ok := c.Stall()
	if !ok {
		return
	}
	for i, v := range c.found {
		if stall.explains(v, c) {
			c.found[i].Class = ClassStalledRun
		}
	}
}
