package answers

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/billing"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// T is what the tests of this room are told in.
type T struct {
	Answers
	Listings
	on *objects.Cast
}

// caseOf tells a story on a site without a zone and gives what a run says of it.
func caseOf(t *testing.T, site harness.Site, tell func(*T)) result.Case {
	t.Helper()
	return harnesstest.CaseOf(t, site, func(a *harness.Attempt, s *harness.Site) {
		c := objects.NewCast(stage.New(a, s))
		tell(newT(c))
	})
}

// verdictOf is the verdict and reason of caseOf.
func verdictOf(t *testing.T, site harness.Site, tell func(*T)) (result.Verdict, string) {
	t.Helper()
	c := caseOf(t, site, tell)
	return c.Verdict, c.Reason
}

func newT(c *objects.Cast) *T {
	a, l := Of(c, billing.Of(c).UsageRuns)
	return &T{a, l, c}
}

// recordsServer lists count usage records of one account, with at most page at once; lost of them are in no list.
func recordsServer(t *testing.T, count, page, lost int) *cloud.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("command") == "listConfigurations" {
			fmt.Fprintf(w, `{"listconfigurationsresponse":{"count":1,"configuration":[{"name":"default.page.size",`+
				`"value":"%d"}]}}`, page)
			return
		}
		first, size := 0, page
		if n, err := strconv.Atoi(q.Get("page")); err == nil {
			size, err = strconv.Atoi(q.Get("pagesize"))
			assert.NoError(t, err)
			first = (n - 1) * size
		}
		var records []string
		for i := first; i < min(first+size, count-lost); i++ {
			at := recordStart(i).Format("2006-01-02T15:04:05-0700")
			records = append(records, fmt.Sprintf(`{"accountid":"a","usagetype":11,"startdate":%q,"enddate":%q,`+
				`"description":"rule %d"}`, at, at, i))
		}
		fmt.Fprintf(w, `{"listusagerecordsresponse":{"count":%d,"usagerecord":[%s]}}`, count,
			strings.Join(records, ","))
	}))
	t.Cleanup(server.Close)
	client, err := cloud.New(cloud.Options{URL: server.URL, APIKey: "k", SecretKey: "s"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close(t.Context())) })
	return client
}

func recordStart(i int) time.Time {
	return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
}

// stopped is a clock that stands still.
type stopped struct{}

func (stopped) Now(context.Context) (time.Time, error)    { return recordStart(0), nil }
func (stopped) Pass(context.Context, time.Duration) error { return nil }

// TestMoreRecordsThanAPage: a server that cuts its list at the default page size lists all, page by page; one that
// leaves a record out is found, whether its list fits on a page or not.
func TestMoreRecordsThanAPage(t *testing.T) {
	for name, c := range map[string]struct {
		count, page, lost int
		want              result.Verdict
	}{
		"fits":                  {5, 500, 0, result.Pass},
		"just fits":             {4, 4, 0, result.Pass},
		"three pages":           {11, 4, 0, result.Pass},
		"one is lost":           {5, 500, 1, result.Fail},
		"one is lost of a page": {11, 4, 1, result.Fail},
	} {
		site := harness.Site{Clock: stopped{}, Cloud: recordsServer(t, c.count, c.page, c.lost)}
		verdict, reason := verdictOf(t, site, func(s *T) {
			s.on.Take(&objects.Account{ID: "a", InternalID: 7})
			last := &usageprobe.Snapshot{Records: []usageprobe.Record{{ID: 999, AccountID: 8}}}
			s.on.Watch.Last = last
			for i := range c.count {
				last.Records = append(last.Records, usageprobe.Record{ID: int64(i + 1), AccountID: 7, Type: 11,
					Start: recordStart(i), End: recordStart(i), Description: fmt.Sprintf("rule %d", i)})
			}
			s.ExpectRecordsBy("account", cloud.Params{"accountid": "a"},
				func(r usageprobe.Record) bool { return r.AccountID == 7 })
		})
		assert.Equal(t, c.want, verdict, "%s: %s", name, reason)
	}
}
