package zone

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// exchange is one line of a recording.
type exchange struct {
	Command      string         `json:"command"`
	Params       map[string]any `json:"params"`
	Status       int            `json:"status"`
	ContentType  string         `json:"contentType"`
	XDescription *string        `json:"xDescription"`
	Body         map[string]any `json:"body"`

	line int
	at   time.Time // when it was made, as far as the recording tells
}

// replay plays a recording against a zone: calls in order, ids translated, time passing as it passed then.
type replay struct {
	testing.TB
	release string    // of the recording
	start   time.Time // when the recording made its first object
	zone    *Zone
	clock   *kernel.Manual
	client  *http.Client
	ids     map[string]string // recorded uuid to ours
	born    map[string]bool   // recorded uuids of what the recording made
	mocks   map[string]string // the same for the simulator's mocks, which have numbers
	diffs   []string

	mu     sync.Mutex
	pushes []net.Push
	log    bytes.Buffer // the management log
}

// Push and RouterState make a replay the zone's routers: all pushes succeed.
func (r *replay) Push(_ context.Context, p net.Push) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushes = append(r.pushes, p)
	return nil
}

func (r *replay) RouterState(context.Context, string, string) error { return nil }

// recordings are the files to play, by release. STACKPROOF_CONFORMANCE names another folder of the same form.
func recordings(t testing.TB) map[string][]string {
	t.Helper()
	dir := os.Getenv("STACKPROOF_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "conformance")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "api*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recordings in %s", dir)
	out := map[string][]string{}
	for _, f := range files {
		release := filepath.Base(filepath.Dir(f))
		if slices.Contains(played(), release) {
			out[release] = append(out[release], f)
		}
	}
	require.NotEmpty(t, out, "no recordings of %s in %s", played(), dir)
	return out
}

// played are the releases whose recordings the zone answers as recorded. That of 4.22.1.0 is walked by the usage server
// and the schema alone.
func played() []string {
	return release.All()
}

func readRecording(t testing.TB, file string) []*exchange {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var out []*exchange
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		e := &exchange{line: len(out) + 1}
		require.NoError(t, json.Unmarshal(in.Bytes(), e), "%s line %d", file, len(out)+1)
		out = append(out, e)
	}
	require.NoError(t, in.Err())
	timeExchanges(out)
	return out
}

var stampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$`)

// stamps collects the times in a body.
func stamps(v any, found func(time.Time)) {
	switch x := v.(type) {
	case map[string]any:
		for _, e := range x {
			stamps(e, found)
		}
	case []any:
		for _, e := range x {
			stamps(e, found)
		}
	case string:
		if stampForm.MatchString(x) {
			t, err := time.Parse("2006-01-02T15:04:05-0700", x)
			if err == nil {
				found(t.UTC())
			}
		}
	}
}

// timeExchanges gives each exchange the time at which it was made: a call that queued a job that of the job, other
// answers the latest time they hold, those without any one between their neighbours'.
func timeExchanges(all []*exchange) {
	jobs := map[string]time.Time{}
	for _, e := range all {
		if q, ok := e.Body["queryasyncjobresultresponse"].(map[string]any); ok && e.Status == 200 {
			if at, err := time.Parse("2006-01-02T15:04:05-0700", fmt.Sprint(q["created"])); err == nil {
				jobs[fmt.Sprint(q["jobid"])] = at.UTC()
			}
		}
	}
	last := time.Time{}
	for _, e := range all {
		at, queued := time.Time{}, false
		stamps(e.Body, func(t time.Time) {
			if t.After(at) {
				at = t
			}
		})
		for _, root := range e.Body {
			if m, ok := root.(map[string]any); ok && e.Command != "queryAsyncJobResult" {
				if t, known := jobs[fmt.Sprint(m["jobid"])]; known {
					at, queued = t, true
				}
			}
		}
		if at.After(last) || queued && at.Equal(last) {
			last, e.at = at, at
		}
	}
	interpolate(all)
}

func interpolate(all []*exchange) {
	for i := 0; i < len(all); {
		if !all[i].at.IsZero() || i == 0 {
			i++
			continue
		}
		j := i
		for j < len(all) && all[j].at.IsZero() {
			j++
		}
		from := all[i-1].at
		for k := i; k < j; k++ {
			all[k].at = from
			if j < len(all) && !from.IsZero() {
				all[k].at = from.Add(all[j].at.Sub(from) * time.Duration(k-i+1) / time.Duration(j-i+1))
			}
		}
		i = j
	}
}

func newReplay(t testing.TB, release string, all []*exchange) *replay {
	t.Helper()
	start := time.Time{}
	for _, e := range all {
		if !e.at.IsZero() {
			start = e.at
			break
		}
	}
	require.False(t, start.IsZero(), "the recording holds no time")
	r := &replay{TB: t, release: release, start: firstMade(all), clock: kernel.NewManual(start), client: &http.Client{},
		ids: map[string]string{}, born: born(all), mocks: map[string]string{}}
	var err error
	r.zone, err = Open(t.Context(), Options{
		Release: release, DB: testDatabase(t, release), Clock: r.clock, Pushes: r,
		ManagementLog: &r.log, Seed: 1,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		require.NoError(t, r.zone.Close(context.Background()))
	})
	return r
}

// play makes one recorded call and compares the answers.
func (r *replay) play(e *exchange) {
	if d := e.at.Sub(r.clock.Now()); d > 0 {
		require.NoError(r, r.zone.Advance(r.Context(), d))
	}
	require.NoError(r, r.zone.Jobs(r.Context()))
	status, header, body := r.send(e)
	where := fmt.Sprintf("line %d %s", e.line, e.Command)
	c := &comparison{replay: r, where: where, exchange: e}
	if status != e.Status {
		c.differ("", "status %d, recorded %d (%s)", status, e.Status, firstText(body))
		return
	}
	if got := header.Get("Content-Type"); got != e.ContentType && e.ContentType != "" { // redacted answers lack it
		c.differ("", "content type %q, recorded %q", got, e.ContentType)
	}
	if got := header.Get("X-Description"); (got != "") != (e.XDescription != nil) {
		c.differ("", "X-Description %q", got)
	}
	r.forget(e.Body)
	c.compare(e.Body, body)
	if e.Command == "configureSimulator" {
		c.mocks[mockID(e.Body)] = mockID(body)
	}
	if e.Command == "createLoadBalancerRule" && status == 200 {
		r.firstUsage()
	}
}

func mockID(body map[string]any) string {
	root, _ := body["simulatormock"].(map[string]any)
	mock, _ := root["null"].(map[string]any)
	return fmt.Sprint(mock["id"])
}

// born are the uuids of what a recording made itself: they stand in answers of calls that create.
func born(all []*exchange) map[string]bool {
	ids := map[string]bool{}
	for _, e := range all {
		for _, root := range e.Body {
			m, ok := root.(map[string]any)
			if result, done := m["jobresult"].(map[string]any); ok && done {
				for _, one := range result {
					if o, ok := one.(map[string]any); ok {
						ids[fmt.Sprint(o["id"])] = true
					}
				}
			}
			if ok && !strings.HasPrefix(e.Command, "list") {
				ids[fmt.Sprint(m["id"])] = true
			}
		}
	}
	return ids
}

// firstMade is when the first call of a recording made something: its create phase is up to two seconds before its job.
func firstMade(all []*exchange) time.Time {
	for _, e := range all {
		for _, root := range e.Body {
			if m, ok := root.(map[string]any); ok && m["jobid"] != nil {
				return e.at.Truncate(time.Second).Add(-2 * time.Second)
			}
		}
	}
	return time.Time{}
}

// forget takes out of recorded lists what stood on the server before the recording began: the zone has none of it.
func (r *replay) forget(body map[string]any) {
	for _, root := range body {
		m, ok := root.(map[string]any)
		if !ok {
			continue
		}
		for _, kind := range []string{"loadbalancerrule", "vpc", "virtualmachine", "event"} {
			list, ok := m[kind].([]any)
			if !ok {
				continue
			}
			left := slices.DeleteFunc(list, func(one any) bool { return r.stoodBefore(kind, one.(map[string]any)) })
			if m[kind] = left; len(left) == 0 {
				delete(m, kind)
				delete(m, "count")
			}
		}
	}
}

func (r *replay) stoodBefore(kind string, one map[string]any) bool {
	if kind == "event" {
		at, err := time.Parse("2006-01-02T15:04:05-0700", fmt.Sprint(one["created"]))
		return err == nil && at.Before(r.start)
	}
	return !r.born[fmt.Sprint(one["id"])]
}

// firstUsage makes the first successful usage run. The recorded servers had had theirs before the recording; from
// then on the usage server catches up by itself.
func (r *replay) firstUsage() {
	var n int
	row := r.zone.kernel.DB().QueryRow("SELECT COUNT(*) FROM cloud_usage.usage_job WHERE success=1")
	require.NoError(r, row.Scan(&n))
	if n == 0 {
		_, err := r.zone.metering.RunUsage(r.Context())
		require.NoError(r, err)
	}
}

// send makes the call over HTTP: signed, but logins and what was refused for its missing signature.
func (r *replay) send(e *exchange) (int, http.Header, map[string]any) {
	p := api.Params{"command": e.Command, "response": "json"}
	post := false
	for k, v := range e.Params {
		if k == "_method" {
			post = v == "POST"
			continue
		}
		p[k] = r.translate(fmt.Sprint(v))
		if ours, ok := r.mocks[p[k]]; ok && strings.Contains(e.Command, "SimulatorMock") {
			p[k] = ours
		}
	}
	if e.Status != http.StatusUnauthorized && e.Command != "login" {
		p["apikey"] = r.zone.APIKey()
		p["signature"] = api.Sign(p, r.zone.SecretKey())
	}
	form := url.Values{}
	for k, v := range p {
		form.Set(k, v)
	}
	var resp *http.Response
	var err error
	if post {
		resp, err = r.client.PostForm(r.zone.APIURL(), form)
	} else {
		resp, err = r.client.Get(r.zone.APIURL() + "?" + form.Encode())
	}
	require.NoError(r, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r, err)
	body := map[string]any{}
	require.NoError(r, json.Unmarshal(text, &body), "%s answered %q", e.Command, text)
	return resp.StatusCode, resp.Header, body
}

var uuidForm = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (r *replay) translate(s string) string {
	return uuidForm.ReplaceAllStringFunc(s, func(id string) string {
		if ours, ok := r.ids[id]; ok {
			return ours
		}
		return id
	})
}

func firstText(body map[string]any) string {
	for _, root := range body {
		if m, ok := root.(map[string]any); ok {
			return fmt.Sprint(m["errortext"])
		}
	}
	return ""
}

// TestConformance plays every recording against the profile of its release.
func TestConformance(t *testing.T) {
	for release, files := range recordings(t) {
		for _, file := range files {
			t.Run(release+"/"+filepath.Base(file), func(t *testing.T) {
				all := readRecording(t, file)
				r := newReplay(t, release, all)
				for _, e := range all {
					r.play(e)
				}
				if len(r.diffs) > 0 {
					slices.Sort(r.diffs)
					t.Errorf("%d differences:\n%s", len(r.diffs), strings.Join(r.diffs, "\n"))
				}
			})
		}
	}
}
