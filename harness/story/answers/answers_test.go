package answers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// TestRefusedWithItsCode: a server that refuses for another reason, such as wrong parameters, has not refused this. A
// call whose answer is lost is made again, a few times.
func TestRefusedWithItsCode(t *testing.T) {
	const want = 431
	for name, c := range map[string]struct {
		code, lost int // 0: carried out; how many answers are lost
		want       result.Verdict
		says       string
	}{
		"refused":                {want, 0, result.Pass, ""},
		"for other causes":       {530, 0, result.Fail, "was refused with 530 (no), want 431"},
		"carried out":            {0, 0, result.Fail, "was carried out; it must be refused with 431"},
		"after two lost answers": {want, 2, result.Pass, ""},
		"carried out after one":  {0, 1, result.Fail, "was carried out; it must be refused with 431"},
		"with no answer at all":  {want, refusedTries, result.Inconclusive, "outcome unknown"},
	} {
		var calls atomic.Int64 // each connection has a goroutine of its own
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("command") == "assignToLoadBalancerRule" && calls.Add(1) <= int64(c.lost) {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			if c.code != 0 {
				w.WriteHeader(c.code)
				fmt.Fprintf(w, `{"assigntoloadbalancerruleresponse":{"errorcode":%d,"errortext":"no"}}`, c.code)
				return
			}
			if r.FormValue("command") == "queryAsyncJobResult" {
				fmt.Fprint(w, `{"queryasyncjobresultresponse":{"jobid":"j","jobstatus":1,"jobresultcode":0,"jobresult":{"success":true}}}`)
				return
			}
			fmt.Fprint(w, `{"assigntoloadbalancerruleresponse":{"jobid":"j"}}`)
		}))
		client, err := cloud.New(cloud.Options{URL: server.URL, APIKey: "k", SecretKey: "s", Retries: -1, Eager: true})
		require.NoError(t, err)
		got, reason := verdictOf(t, harness.Site{}, func(t *T) {
			t.ExpectRefused(want, "assignToLoadBalancerRule", &objects.Account{Cloud: client}, cloud.Params{"id": "x"})
		})
		server.Close()
		require.NoError(t, client.Close(t.Context()))
		assert.Equal(t, c.want, got, "%s: %s", name, reason)
		assert.Contains(t, reason, c.says, name)
	}
}
