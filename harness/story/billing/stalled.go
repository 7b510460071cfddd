package billing

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// RequireEvents makes sure that the last look saw usage events of a type: without them nothing could be left.
func (t UsageRuns) RequireEvents(eventType string, least int) {
	count := 0
	for _, e := range t.watch.Last.UsageEvents {
		if e.Type == eventType {
			count++
		}
	}
	if count < least {
		t.Inconclusive("cloud_usage has %d %s events of the accounts, want at least %d", count, eventType, least)
	}
}

// ExpectAllProcessed expects that the last usage run left no usage event behind that is older than its end.
func (t UsageRuns) ExpectAllProcessed() {
	t.Checked(1)
	var left []string
	for _, e := range t.watch.Last.UsageEvents {
		if !e.Processed && e.Created.Before(t.watch.Last.Cutoff) {
			left = append(left, fmt.Sprintf("%s of %d at %s", e.Type, e.ResourceID, stage.Stamp(e.Created)))
		}
	}
	if len(left) > 0 {
		t.Fail(result.StalledRun, fmt.Sprintf("a usage job succeeded up to %s and left %d older events unprocessed, "+
			"the first is %s", stage.Stamp(t.watch.Last.Cutoff), len(left), left[0]),
			result.Evidence{Kind: result.KindRows, Title: "cloud_usage.usage_event, processed = 0",
				Text: strings.Join(left, "\n")})
	}
}

// ExpectNoRepeats expects that no usage record is there twice (I8).
func (t UsageRuns) ExpectNoRepeats() {
	t.Checked(1)
	var twice []string
	for _, v := range usageprobe.Invariants(nil, *t.watch.Last, usageprobe.Touched{}) {
		if v.Invariant == "I8" {
			twice = append(twice, fmt.Sprintf("%s: expected %s, seen %s", v.Table, v.Expected, v.Seen))
		}
	}
	if len(twice) > 0 {
		t.Fail(result.RepeatedRecords, fmt.Sprintf("of %d usage records, %d are there more than once: whoever adds "+
			"them up bills twice", len(t.watch.Last.Records), len(twice)), result.Evidence{Kind: result.KindRows,
			Title: "cloud_usage.cloud_usage, records that are there twice", Text: strings.Join(twice, "\n")})
	}
}

// RequireRecords makes sure that the last look saw records: without them none could be repeated.
func (t UsageRuns) RequireRecords() {
	if len(t.watch.Last.Records) == 0 {
		t.Inconclusive("cloud_usage has no record of the accounts")
	}
}
