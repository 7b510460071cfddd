package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// lateCommit is a fault after which the server carries out what nobody waits for any more.
func lateCommit() Fault {
	return Fault{Name: "api-late-commit",
		About:  "every 7th create is answered with a proxy's 504, and carried out 3 s later",
		Causes: []string{"answer", "outcome", "HTTP", "lost", "refused"},
		begin: func(_ context.Context, a *attempt) error {
			l := &late{to: a.site.door.plain, every: 7, after: 3 * time.Second}
			a.behind = l
			a.undo = append(a.undo, func() error { l.pending.Wait(); return nil })
			return nil
		}}
}

// late stands in front of a server and sends some creates on after their answers.
type late struct {
	to      http.Handler
	every   int
	after   time.Duration
	pending sync.WaitGroup // creates that are not carried out yet

	mu      sync.Mutex
	creates int
}

// ServeHTTP implements http.Handler.
func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	again := func() *http.Request {
		out := r.Clone(context.WithoutCancel(r.Context()))
		out.Body = io.NopCloser(bytes.NewReader(body))
		return out
	}
	if !l.hit(r.URL.Query().Get("command"), body) {
		l.to.ServeHTTP(w, again())
		return
	}
	out := again()
	l.pending.Go(func() {
		pause(out.Context(), l.after)
		l.to.ServeHTTP(httptest.NewRecorder(), out)
	})
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(http.StatusGatewayTimeout)
	fmt.Fprint(w, "<html><head><title>504 Gateway Time-out</title></head></html>")
}

// hit says whether a call is to be late.
func (l *late) hit(command string, body []byte) bool {
	if form, err := url.ParseQuery(string(body)); err == nil && command == "" {
		command = form.Get("command")
	}
	if !strings.HasPrefix(command, "create") && !strings.HasPrefix(command, "deploy") {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.creates++
	return l.creates%l.every == 0
}
