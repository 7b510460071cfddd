package answers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// recordForm is how listUsageRecords takes times.
const recordForm = "2006-01-02 15:04:05"

// recordLine is a usage record as a listing and the database tell it alike: the old format has the database's text.
func recordLine(account string, usageType int64, start, end time.Time, text string) string {
	return fmt.Sprintf("%s type %d %s - %s %s", account, usageType, stage.Stamp(start), stage.Stamp(end), text)
}

// held are the database's records that a condition picks, as lines in the order of their ids.
func (t Listings) held(is func(usageprobe.Record) bool) []string {
	var lines []string
	for _, r := range t.sorted() {
		if is(r) {
			lines = append(lines, t.lineOf(r))
		}
	}
	return lines
}

func (t Listings) lineOf(r usageprobe.Record) string {
	account := fmt.Sprint(r.AccountID)
	for _, a := range t.on.Accounts() {
		if a.InternalID == r.AccountID {
			account = a.ID
		}
	}
	return recordLine(account, r.Type, r.Start, r.End, r.Description)
}

// sorted are the story's records in the order of their ids, which is that of a listing.
func (t Listings) sorted() []usageprobe.Record {
	all := slices.Clone(t.watch.Last.Records)
	slices.SortFunc(all, func(a, b usageprobe.Record) int { return int(a.ID - b.ID) })
	return all
}

// period is from before the story's first record to the end of its newest: what usage runs write meanwhile lies
// outside.
func (t Listings) period() cloud.Params {
	var end time.Time
	for _, r := range t.watch.Last.Records {
		if r.End.After(end) {
			end = r.End
		}
	}
	return cloud.Params{"startdate": t.on.Now().Add(-wide).Format(recordForm), "enddate": end.Format(recordForm),
		"oldformat": "true"}
}

// answer is a page of listUsageRecords: its records as lines, and what it says that there are.
func (t Listings) answer(p cloud.Params) (lines []string, count int, refusal *cloud.Error) {
	asked := t.period()
	maps.Copy(asked, p)
	var answer struct {
		Count       int
		UsageRecord []struct {
			AccountID          string
			ProjectID          string // of what belongs to a project, which has no account
			UsageType          int64
			StartDate, EndDate string
			Description        string
		}
	}
	err := t.site.Cloud.Call(t.ctx, "listUsageRecords", asked, &answer)
	if refusal := t.on.Refusal(err, "listUsageRecords %v", p); refusal != nil {
		return nil, 0, refusal
	}
	for _, r := range answer.UsageRecord {
		start, err := cloud.UsageTime(r.StartDate)
		t.Must(err, "reading a usage record")
		end, err := cloud.UsageTime(r.EndDate)
		t.Must(err, "reading a usage record")
		lines = append(lines, recordLine(r.AccountID+r.ProjectID, r.UsageType, start, end, r.Description))
	}
	return lines, answer.Count, nil
}

// whole is the answer of all pages: a server cuts every list at its default page size, even when no paging was asked
// for, and a server that is slow has a story see more windows.
func (t Listings) whole(p cloud.Params) (lines []string, count int, refusal *cloud.Error) {
	lines, count, refusal = t.answer(p)
	if refusal != nil || len(lines) == 0 || len(lines) >= count || len(lines) != t.pageSize() {
		return lines, count, refusal
	}
	size := len(lines)
	for page := 2; len(lines) < count; page++ {
		asked := maps.Clone(p)
		asked["page"], asked["pagesize"] = page, size
		more, _, refusal := t.answer(asked)
		if refusal != nil || len(more) == 0 {
			return lines, count, refusal
		}
		lines = append(lines, more...)
	}
	return lines, count, nil
}

// pageSize is how many objects a server lists at most where nobody asks for pages; 0 where it does not tell.
func (t Listings) pageSize() int {
	all, err := t.site.Cloud.ListConfigurations(t.ctx, cloud.Params{"name": "default.page.size"})
	t.Must(err, "asking for the default page size")
	for _, c := range all {
		if n, err := strconv.Atoi(strings.TrimSpace(c.Value)); err == nil && c.Name == "default.page.size" {
			return n
		}
	}
	return 0
}

// ExpectRecordsBy expects that listUsageRecords lists, for a filter, the records of the story's accounts that a
// condition picks, no others, and counts them. A filter that picks none or all of them shows nothing.
func (t Listings) ExpectRecordsBy(by string, p cloud.Params, is func(usageprobe.Record) bool) {
	defer t.Step("usage records by %s", by)()
	t.Checked(1)
	want := t.held(is)
	if len(want) == 0 || len(want) == len(t.watch.Last.Records) {
		t.Inconclusive("%d of the story's %d usage records are of this %s: nothing is told apart", len(want),
			len(t.watch.Last.Records), by)
	}
	got, count, refusal := t.whole(p)
	if refusal != nil {
		t.Fail(result.WrongRefusal, fmt.Sprintf("listUsageRecords by %s was refused: %s", by, refusal.Text))
		return
	}
	if count != len(want) || !slices.Equal(got, want) {
		t.Fail(result.WrongListing, fmt.Sprintf("listUsageRecords by %s lists %d usage records and counts %d, the "+
			"database has %d: %s", by, len(got), count, len(want), firstApart(got, want)),
			listing(fmt.Sprintf("listUsageRecords by %s", by), got), listing("the database's, by "+by, want))
	}
}

func listing(title string, lines []string) result.Evidence {
	return result.Evidence{Kind: result.KindRows, Title: title, Text: strings.Join(lines, "\n")}
}

// firstApart is the first place in which two lists differ.
func firstApart(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "it leaves out " + want[i]
		case i >= len(want) || got[i] != want[i]:
			return "it lists " + got[i]
		}
	}
	return "its list is right"
}

// ExpectNoneListed expects an empty list.
func (t Listings) ExpectNoneListed(by string, p cloud.Params) {
	defer t.Step("no usage records by %s", by)()
	t.Checked(1)
	got, count, refusal := t.answer(p)
	if refusal != nil {
		t.Fail(result.WrongRefusal, fmt.Sprintf("listUsageRecords by %s was refused: %s", by, refusal.Text))
	} else if len(got)+count > 0 {
		t.Fail(result.WrongListing, fmt.Sprintf("listUsageRecords by %s lists %d usage records and counts %d, want "+
			"none", by, len(got), count), listing("listUsageRecords by "+by, got))
	}
}

// ExpectListingRefused expects that a listing is refused with the error code.
func (t Listings) ExpectListingRefused(by string, code int, p cloud.Params) {
	defer t.Step("usage records by %s are refused", by)()
	_, _, refusal := t.answer(p)
	Answers{t.looks}.ExpectRefusal(refusal, code, "listUsageRecords by "+by)
}

// mostPages is how many pages are read of one listing, more or less: each takes a call.
const mostPages = 20

// ExpectPages expects that the pages of an account's listing follow each other without gap or overlap, that each counts
// all records, and that one after the last is empty. Pages are larger than size where there would be too many of them.
func (t Listings) ExpectPages(a *objects.Account, size int) {
	defer t.Step("usage records page by page")()
	t.Checked(1)
	want := t.held(func(r usageprobe.Record) bool { return r.AccountID == a.InternalID })
	if len(want) <= size {
		t.Inconclusive("account %s has %d usage records: they fit on one page of %d", a.Name, len(want), size)
	}
	size = max(size, len(want)/mostPages)
	var got []string
	for page := 1; (page-1)*size < len(want)+size; page++ {
		lines, count, refusal := t.answer(cloud.Params{"accountid": a.ID, "page": page, "pagesize": size})
		if refusal != nil {
			t.Fail(result.WrongRefusal, fmt.Sprintf("page %d of listUsageRecords was refused: %s", page, refusal.Text))
			return
		}
		if count != len(want) {
			t.Fail(result.WrongListing, fmt.Sprintf("page %d of listUsageRecords counts %d usage records, there are %d",
				page, count, len(want)))
			return
		}
		got = append(got, lines...)
	}
	if !slices.Equal(got, want) {
		t.Fail(result.WrongListing, fmt.Sprintf("the pages of listUsageRecords have %d usage records together, there "+
			"are %d: %s", len(got), len(want), firstApart(got, want)), listing("all pages", got),
			listing("the database's", want))
	}
}

// ExpectPeriods expects that a listing for each of an account's usage windows lists what lies in it.
func (t Listings) ExpectPeriods(a *objects.Account) {
	var starts []time.Time
	ends := map[time.Time]time.Time{}
	for _, r := range t.sorted() {
		if r.AccountID != a.InternalID {
			continue
		}
		if _, seen := ends[r.Start]; !seen {
			starts = append(starts, r.Start)
		}
		ends[r.Start] = r.End
	}
	for _, start := range starts {
		end := ends[start]
		t.ExpectRecordsBy("window from "+stage.Stamp(start), cloud.Params{"accountid": a.ID,
			"startdate": start.Format(recordForm), "enddate": end.Format(recordForm)},
			func(r usageprobe.Record) bool {
				return r.AccountID == a.InternalID && !r.Start.Before(start) && !r.End.After(end)
			})
	}
}

// ReportFilters reports what listUsageRecords has never filtered by, which is no failure here.
func (t Listings) ReportFilters(n *objects.Network, v *objects.VPC) {
	t.Checked(1)
	const source = "UsageServiceImpl.java@4.20.0.0"
	network, _, _ := t.answer(cloud.Params{"type": usageprobe.UsageNetwork, "usageid": n.ID})
	vpc, _, _ := t.answer(cloud.Params{"type": usageprobe.UsageVPC, "usageid": v.ID})
	t.KnownDefect(len(network)+len(vpc) == 0, "records of networks and VPCs cannot be listed by a usage id", source)
	_, own, _ := t.answer(n.Account.ByName())
	_, all, _ := t.answer(cloud.Params{"account": n.Account.Name})
	t.KnownDefect(all > own, "an account's name without its domain is no filter: everybody's records are listed",
		source)
}

// Unknown is an id that nothing has.
func (t Listings) Unknown() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(t.on.Rng.Uint64()), t.on.Rng.Uint64()>>16)
}
