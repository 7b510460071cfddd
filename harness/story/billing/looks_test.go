package billing

import (
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// T is what the tests of this room are told in.
type T struct {
	*harness.Attempt
	Billing
	watch *watch.Watch
}

// caseOf tells a story on a site without a zone and gives what a run says of it.
func caseOf(t *testing.T, site harness.Site, tell func(*T)) result.Case {
	t.Helper()
	return harnesstest.CaseOf(t, site, func(a *harness.Attempt, s *harness.Site) {
		c := objects.NewCast(stage.New(a, s))
		tell(&T{a, Of(c), c.Watch})
	})
}

// verdictOf is the verdict and reason of caseOf.
func verdictOf(t *testing.T, site harness.Site, tell func(*T)) (result.Verdict, string) {
	t.Helper()
	c := caseOf(t, site, tell)
	return c.Verdict, c.Reason
}

// helperRows are the LB helper rows of a snapshot: helper id to rule id.
func helperRows(ids map[int64]int64) *usageprobe.Snapshot {
	s := &usageprobe.Snapshot{}
	for helper, rule := range ids {
		s.Rows = append(s.Rows, usageprobe.HelperRow{Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: rule},
			HelperID: helper})
	}
	return s
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func rule() *objects.Rule { return &objects.Rule{Name: "A", InternalID: 21} }
