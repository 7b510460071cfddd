package existing

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/zone"
)

// opened counts the calls of one command that are under way at once.
type opened struct {
	command string
	to      http.Handler

	mu             sync.Mutex
	now, most, all int
}

func (o *opened) add(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now += n
	o.all += max(0, n)
	o.most = max(o.most, o.now)
}

func (o *opened) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is missing makes the call fail
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains("&"+r.URL.RawQuery+"&"+string(body)+"&", "&command="+o.command+"&") {
		o.add(1)
		defer o.add(-1)
	}
	o.to.ServeHTTP(w, r)
}

// TestAccountsAreMadeInTurn: scenarios side by side never have two createAccount open at once, which can break a site's
// usage server for ever; only the scenario that is about this does, as the control.
func TestAccountsAreMadeInTurn(t *testing.T) {
	t.Parallel()
	s := standLoaded(t, "4.20.1.0", zone.Load{LateEvery: 1, Late: 6 * time.Second}, nil, nil)
	api, err := url.Parse(s.zone.APIURL())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		story func(*story.T)
		most  int
	}{
		"in turn": {func(t *story.T) {
			t.NewAccount()
			t.NewAccount()
			t.Checked(1)
		}, 1},
		"side by side": {func(t *story.T) {
			t.NewAccount()
			t.AccountsDuringUsageRun(3)
			t.Checked(1)
		}, 3},
	} {
		o := &opened{command: "createAccount", to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: api.Scheme, Host: api.Host})
		}}}
		front := httptest.NewServer(o)
		conf := s.config()
		conf.API.URL = front.URL + api.Path
		target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
		require.NoError(t, err)
		var all harness.Catalogue
		for _, id := range []string{"X-01", "X-02", "X-03"} {
			all = append(all, harness.Scenario{ID: id, Run: story.Of(c.story)})
		}
		run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: all, Seed: 1, Workers: len(all),
			Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		require.NoError(t, target.Close(t.Context()))
		front.Close()
		for _, one := range run.Results {
			assert.Equal(t, result.Pass, one.Verdict, one.Reason)
		}
		assert.GreaterOrEqual(t, o.all, 6, name)
		assert.Equal(t, c.most, o.most, "calls of createAccount at once, %s", name)
	}
}
