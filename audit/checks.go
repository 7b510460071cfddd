package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// usageChecks are U1 to U13, from what the stages have found.
func (a *accounting) usageChecks(ctx context.Context, jobs *chain) ([]Check, error) {
	titles := []struct{ id, title, none string }{
		{"U1", "no open row of what is gone", "every open row belongs to something that lives"},
		{"U2", "what lives has an open row", "everything that lives is billed"},
		{"U3", "rows are closed at their own delete event", "every close date is right"},
		{"U4", "no row was closed by another's delete", "no close was crossed"},
		{"U5", "one open row for one thing", "nothing is open twice"},
	}
	var checks []Check
	for _, t := range titles {
		c := Check{ID: t.id, Title: t.title}
		for _, f := range a.result.Findings {
			if !slices.Contains(f.Checks, t.id) {
				continue
			}
			if c.Count++; len(c.Evidence) < evidenceLines {
				c.Evidence = append(c.Evidence, f.Text)
			}
		}
		checks = append(checks, verdict(c, t.none, "rows"))
	}
	u6 := Check{
		ID:       "U6",
		Title:    "no create event is there twice",
		Count:    a.judging.repeated,
		Evidence: a.judging.duplicates,
	}
	checks = append(checks, verdict(u6, "no create event is repeated", "repeated create events"))
	u7, err := a.events7(ctx, jobs)
	if err != nil {
		return nil, err
	}
	u11, err := a.schema(ctx)
	if err != nil {
		return nil, err
	}
	u12, err := a.clocks(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, u7, jobs.check(), a.records9(), a.records10(), u11, u12, a.money13())
	for i, c := range checks {
		if jobs.Successful == 0 && c.Outcome == Clean && c.ID != "U11" && c.ID != "U12" {
			checks[i].Outcome, checks[i].Text = Undecidable,
				"no usage job has ever ended well, so nothing can be expected"
		}
	}
	return checks, nil
}

// verdict completes a check by its count. what is the plural of what was counted.
func verdict(c Check, none, what string) Check {
	c.Outcome, c.Text = Clean, none
	if c.Count > 0 {
		if c.Count == 1 {
			what = strings.TrimSuffix(what, "s")
		}
		c.Outcome, c.Text = Found, fmt.Sprintf("%d %s", c.Count, what)
		if len(c.Evidence) > 0 {
			c.Text += ", first: " + c.Evidence[0]
		}
	}
	return c
}

// events7 is U7, and describes a usage server that stands still.
func (a *accounting) events7(ctx context.Context, jobs *chain) (Check, error) {
	c := Check{ID: "U7", Title: "every event was copied and processed", Count: len(a.stalled) + len(a.lost)}
	if len(a.stalled) > 0 {
		if err := a.describeStall(ctx, jobs.repeated); err != nil {
			return c, err
		}
		s := a.result.Stall
		c.Evidence = append(
			c.Evidence,
			fmt.Sprintf(
				"%d events up to %s %d of %s were never processed, though later jobs ended well",
				s.Events,
				s.BlockingType,
				s.BlockingEvent,
				s.BlockedSince.Format(time.DateTime),
			),
		)
	}
	for _, id := range sortedKeys(a.lost) {
		if len(c.Evidence) < evidenceLines {
			c.Evidence = append(
				c.Evidence,
				fmt.Sprintf(
					"event %d of cloud.usage_event was never copied to cloud_usage, though later ones were",
					id,
				),
			)
		}
	}
	return verdict(
		c,
		fmt.Sprintf("%d events are processed; %d wait for the next job", a.copied, a.pending),
		"events",
	), nil
}

// describeStall: the event that blocks is the last one, in order of time, of those that were never processed: the
// run handles it and everything before it in one transaction, which is rolled back (confirmed.md 47).
func (a *accounting) describeStall(ctx context.Context, repeatedJobs int) error {
	s := &Stall{Events: len(a.stalled), RepeatedJobs: repeatedJobs}
	counts, latest := map[string]int64{}, ""
	for from := 0; from < len(a.stalled); from += 1000 {
		ids := a.stalled[from:min(from+1000, len(a.stalled))]
		query := "SELECT id, type, CAST(created AS CHAR) FROM cloud_usage.usage_event WHERE id IN (" + list(ids) + ")"
		err := a.usage.each(ctx, query, func(scan func(...any) error) error {
			var id int64
			var kind, created string
			if err := scan(&id, &kind, &created); err != nil {
				return err
			}
			counts[kind]++
			if created > latest || created == latest && id > s.BlockingEvent {
				latest, s.BlockingEvent, s.BlockingType = created, id, kind
			}
			return nil
		})
		if err != nil {
			return a.usage.failed("reading the events that were never processed", err)
		}
	}
	s.BlockedSince, _ = time.Parse(time.DateTime, cut(latest)) // the server's own form of a DATETIME
	for _, kind := range sortedKeys(counts) {
		s.ByType = append(s.ByType, Counted{kind, counts[kind]})
	}
	for _, r := range a.repeats {
		s.RepeatedRecords += r.Count
		s.RepeatedHours += r.Hours
	}
	s.RepeatedHours = round(s.RepeatedHours)
	for _, f := range a.result.Findings {
		if f.Stalled && f.Verdict == usageprobe.AuditMissing {
			s.Unmetered++
		}
	}
	a.result.Stall = s
	return nil
}

// cut drops fractions of a second.
func cut(text string) string {
	text, _, _ = strings.Cut(text, ".")
	return text
}

func list(ids []int64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = fmt.Sprint(id)
	}
	return strings.Join(words, ",")
}

// records9 is U9.
func (a *accounting) records9() Check {
	c := Check{ID: "U9", Title: "no record is there twice"}
	keys := make([]repeatKey, 0, len(a.repeats))
	for k := range a.repeats {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y repeatKey) int {
		return int(a.repeats[y].Count-a.repeats[x].Count)*8 + int(x.account) - int(y.account)
	})
	for _, k := range keys {
		r := a.repeats[k]
		c.Count += int(r.Count)
		if len(c.Evidence) < evidenceLines {
			c.Evidence = append(
				c.Evidence,
				fmt.Sprintf(
					"account %d (%s), usage type %d, %s: %d records more than there should be, %.4f h, such as %d "+
						"and %d",
					r.Account,
					a.names[r.Account],
					r.UsageType,
					r.Month,
					r.Count,
					r.Hours,
					r.Example[0],
					r.Example[1],
				),
			)
		}
	}
	return verdict(c, "no record is repeated", "repeated records")
}

func (a *accounting) records10() Check {
	c := Check{ID: "U10", Title: "no record is longer than its window", Count: a.TooLong, Evidence: a.LongLines}
	return verdict(c, "every record fits into its window", "too long records")
}

func (a *accounting) money13() Check {
	c := Check{ID: "U13", Title: "nobody was billed too much or too little"}
	var surplus, deficit, repeated float64
	accounts := map[int64]bool{}
	for _, m := range a.result.Money {
		surplus, deficit, repeated = surplus+m.SurplusHours, deficit+m.DeficitHours, repeated+m.RepeatedHours
		accounts[m.AccountID] = true
	}
	c.Count = len(accounts)
	if c.Count == 0 {
		return verdict(c, "no hour was billed too much or too little", "")
	}
	c.Outcome = Found
	c.Text = fmt.Sprintf(
		"%d accounts: %.2f h billed too much, %.2f h too little, %.2f h in repeated records",
		c.Count,
		surplus,
		deficit,
		repeated,
	)
	return c
}
