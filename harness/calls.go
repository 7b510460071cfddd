package harness

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// Calls keeps the newest API calls that changed something, for the reader of a failure. It takes a trace's lines
// (cloud.Options.Trace), from which secrets are removed already.
type Calls struct {
	mu      sync.Mutex
	kept    []result.Call
	changes func(cloud.Exchange)
}

// OnChange sets who is told, as they come, of the calls that may have changed something.
func (c *Calls) OnChange(f func(cloud.Exchange)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes = f
}

// What is kept of a site's calls: enough for the story of a failure, and little enough for a result file.
const (
	mostCalls  = 100
	mostAnswer = 4096
)

// Write takes one line of a trace.
func (c *Calls) Write(line []byte) (int, error) {
	var e cloud.Exchange
	if err := json.Unmarshal(line, &e); err != nil {
		return len(line), nil //nolint:nilerr // a picture without a call is no reason to end a run
	}
	call := result.Call{Seconds: e.Seconds, Command: e.Command, Params: e.Params, Status: e.Status, Answer: e.Body}
	if e.Began != nil {
		call.At = e.Began.UTC().Truncate(time.Millisecond)
	}
	if e.XDescription != nil {
		call.Error = *e.XDescription
	}
	if len(call.Answer) > mostAnswer {
		call.Answer = json.RawMessage(`"left out: it is long"`)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != nil {
		c.changes(e)
	}
	if len(c.kept) == mostCalls {
		c.kept = append(c.kept[:0], c.kept[1:]...)
	}
	c.kept = append(c.kept, call)
	return len(line), nil
}

// Takes implements cloud.Choosy: a call that only looked, or waited for a job that was not done, tells no story.
func (c *Calls) Takes(command string, status int, body []byte) bool {
	if status >= 400 {
		return true
	}
	if command == "queryAsyncJobResult" {
		return !pending.Match(body)
	}
	for _, word := range []string{"list", "query", "get"} {
		if strings.HasPrefix(command, word) {
			return false
		}
	}
	return true
}

// pending is an answer about a job that goes on.
var pending = regexp.MustCompile(`"jobstatus":\s*0`)

// Newest are the calls that were kept, oldest first.
func (c *Calls) Newest() []result.Call {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]result.Call(nil), c.kept...)
}
