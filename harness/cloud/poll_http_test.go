package cloud_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// jobServer is a real HTTP server whose jobs take a given time; it notes when it was polled.
type jobServer struct {
	*server
	mu    sync.Mutex
	ends  map[string]time.Time
	polls []time.Time
}

func serveJobs(t testing.TB, takes time.Duration) *jobServer {
	t.Helper()
	j := &jobServer{ends: map[string]time.Time{}}
	j.server = serve(t, func(w http.ResponseWriter, command string, n int, v url.Values) {
		j.mu.Lock()
		defer j.mu.Unlock()
		now := time.Now()
		if command != "queryAsyncJobResult" {
			id := fmt.Sprint("job", n)
			j.ends[id] = now.Add(takes)
			answerJSON(w, 200, `{"startrouterresponse":{"jobid":"`+id+`"}}`)
			return
		}
		j.polls = append(j.polls, now)
		status := 0
		if !now.Before(j.ends[v.Get("jobid")]) {
			status = 1
		}
		answerJSON(w, 200, fmt.Sprintf(
			`{"queryasyncjobresultresponse":{"jobid":"x","jobstatus":%d,"jobresult":{"router":{"id":"r"}}}}`, status))
	})
	return j
}

// TestBudgetIsShared: jobs of two users of one site, over HTTP, share one budget. (Times are the poller's own test's
// business: this one counts.)
func TestBudgetIsShared(t *testing.T) {
	s := serveJobs(t, 100*time.Millisecond)
	c := client(t, s.server, func(o *cloud.Options) { o.Eager = false })
	other, err := c.As("another-api-key", "another-secret-key")
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			_, err := []*cloud.Client{c, other}[i%2].Job(t.Context(), "startRouter", cloud.Params{"id": "r"}, nil)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.GreaterOrEqual(t, len(s.polls), 12)
	// 12 polls cost 12 tokens: two buckets would give them in 0.9 s, one needs (12-2.9)/6.8 s = 1.3 s.
	require.GreaterOrEqual(t, s.polls[11].Sub(s.polls[0]), 1200*time.Millisecond)
	keys := map[string]int{}
	for _, v := range s.calls {
		keys[v.Get("apikey")]++
	}
	require.GreaterOrEqual(t, keys["another-api-key"], 12)
}

func TestAs(t *testing.T) {
	s := serveJobs(t, 0)
	c := client(t, s.server)
	_, err := c.As("key", "")
	require.ErrorContains(t, err, "an API key without a secret key")
	port := client(t, s.server, func(o *cloud.Options) { o.APIKey, o.SecretKey, o.Integration = "", "", true })
	_, err = port.As("key", "secret")
	require.ErrorContains(t, err, "integration port knows no users")
}

// BenchmarkJob is one job of no duration through the client; BenchmarkBareJob the same two exchanges in a bare loop.
// The difference is the client's overhead per job.
func BenchmarkJob(b *testing.B) {
	c := client(b, serveJobs(b, 0).server)
	for b.Loop() {
		var router struct{ ID string }
		if _, err := c.Job(b.Context(), "startRouter", cloud.Params{"id": "r"}, &router); err != nil ||
			router.ID != "r" {
			b.Fatal(router, err)
		}
	}
}

func BenchmarkBareJob(b *testing.B) {
	s := serveJobs(b, 0)
	hc := &http.Client{Transport: &http.Transport{}}
	defer hc.CloseIdleConnections()
	bare := func(ctx context.Context, query string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/client/api?"+query, nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := hc.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		var buf [4096]byte
		for err == nil {
			_, err = resp.Body.Read(buf[:])
		}
		_ = resp.Body.Close()
	}
	for b.Loop() {
		bare(b.Context(), "command=startRouter&id=r&response=json")
		bare(b.Context(), "command=queryAsyncJobResult&jobid=job0&response=json")
	}
}
