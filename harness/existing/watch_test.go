package existing

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/mgmtlog"
	"github.com/stackproof/stackproof/router"
)

// TestLostLinesEndTheComparison: a push that was cut away with the log may be the newest of any router.
func TestLostLinesEndTheComparison(t *testing.T) {
	f, err := mgmtlog.NewFiles(nil)
	require.NoError(t, err)
	w := &watcher{source: f, inbox: mgmtlog.NewInbox()}
	agree, _, err := w.compare(t.Context())
	require.NoError(t, err)
	assert.True(t, agree)
	f.Lost = 1
	_, _, err = w.compare(t.Context())
	require.ErrorContains(t, err, "lost 1 pushes")
}

// late is a log and a simulator's count of the same pushes, where one comes while the count is being read.
type late struct {
	mu      sync.Mutex
	pending []string
	counted int
	asked   int
	during  func() // when the count is read for the second time
}

func (l *late) Poll(each func(string)) error {
	l.mu.Lock()
	lines := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, line := range lines {
		each(line)
	}
	return nil
}

func (l *late) Close() error     { return nil }
func (l *late) Describe() string { return "a log" }

func (l *late) push(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, line)
	l.counted++
}

func (l *late) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	left := countFrom - l.counted
	l.asked++
	second := l.asked%2 == 0
	l.mu.Unlock()
	if second {
		l.during() // the answer is late: what it says was true before
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	fmt.Fprintf(w, `{"querysimulatormockresponse":{"null":{"id":1,"count":%d}}}`, left)
}

// TestPushesWhileTheCountIsRead: where each answer is seconds late, others' pushes reach the log between the reading of
// the count and its answer. They are no pushes that were not counted.
func TestPushesWhileTheCountIsRead(t *testing.T) {
	log, err := os.ReadFile(filepath.Join("..", "..", "testdata", "conformance", "4.20.0.0", "lb-config-commands.log"))
	require.NoError(t, err)
	lines := strings.Split(string(log), "\n")
	source := &late{}
	server := httptest.NewServer(source)
	defer server.Close()
	client, err := cloud.New(cloud.Options{URL: server.URL, APIKey: "k", SecretKey: "s"})
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close(t.Context())) }()
	w := &watcher{source: source, inbox: mgmtlog.NewInbox(), pushes: map[string][]router.Push{},
		refused: map[string]error{}, count: &counter{api: client, mock: &cloud.SimulatorMock{ID: 1}}}
	source.during = func() {
		source.push(lines[0])
		lines = lines[1:]
		w.poll(t.Context()) // the log is read all the time
	}
	for range 3 {
		agree, seen, err := w.compare(t.Context())
		require.NoError(t, err)
		assert.True(t, agree, seen)
		assert.Zero(t, w.count.uncounted, "all pushes were counted: %s", seen)
	}
	assert.Zero(t, w.count.base)
}

// TestKeysOfOthersAreNotKept: what shadow routers write to a disk is nobody's private key.
func TestKeysOfOthersAreNotKept(t *testing.T) {
	p := router.Push{LoadBalancers: []router.LoadBalancer{{UUID: "plain"},
		{UUID: "tls", Certificate: &router.Certificate{Cert: "c", Key: "secret", Chain: "h", KeyLogged: true}}}}
	w := &watcher{pushes: map[string][]router.Push{}, refused: map[string]error{}}
	w.deliver(t.Context(), []router.Push{p})
	kept := w.pushes[""][0].LoadBalancers
	assert.Nil(t, kept[0].Certificate)
	assert.NotContains(t, kept[1].Certificate.Key, "secret")
	assert.Empty(t, kept[1].Certificate.Chain)
	assert.True(t, kept[1].Certificate.KeyLogged, "what the log showed is known all the same")
	_, err := tls.X509KeyPair([]byte(kept[1].Certificate.Cert), []byte(kept[1].Certificate.Key))
	assert.NoError(t, err)
	assert.Empty(t, w.refused)
}

// TestLogOfAFailure: what a server wrote after a story began is read when it fails, without waiting for the next look.
func TestLogOfAFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "management-server.log")
	write := func(line string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(line + "\n")
		require.NoError(t, errors.Join(err, f.Close()))
	}
	write("2026-11-22 00:00:00,000 INFO  before")
	source, err := mgmtlog.NewFiles([]string{file})
	require.NoError(t, err)
	w := &watcher{source: source, inbox: mgmtlog.NewInbox(), pushes: map[string][]router.Push{},
		refused: map[string]error{}}
	defer func() { assert.NoError(t, source.Close()) }()
	w.poll(t.Context())
	mark := w.Mark()
	write("2026-11-22 00:00:01,000 ERROR failed for password=CANARY of rule 22")
	assert.Equal(t, []string{"2026-11-22 00:00:01,000 ERROR failed for password=redacted of rule 22"},
		w.Since(t.Context(), mark))
	assert.Empty(t, w.Since(t.Context(), w.Mark()))
}
