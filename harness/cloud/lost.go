package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// What becomes of a call whose answer was lost. A create is looked for by its unique name; a call that may be carried
// out twice without harm is made again; whatever is asynchronous is first looked for among the jobs that run.

const (
	// mostTries is how often a call whose answer was lost is made, all in all.
	mostTries = 4
	// soon is how long a call is looked for at least: what was sent may still be on its way through the server.
	soon = 400 * time.Millisecond
)

// Look says whether the object of a create whose answer was lost exists, and its id.
type Look func(ctx context.Context) (found bool, id string, err error)

// seen are the ids that the server told the clients of a run: objects without names are found by not being among them.
type seen struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (s *seen) add(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.ids[id] = true
	}
}

func (s *seen) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id]
}

// certainly makes a call until its outcome is known. Where its answer was lost, look decides: found, its id is
// returned; not found for as long as it may take, the call is made again. A refusal of a call that was made again may
// be about what the first one did, so look has the last word.
func (c *caller) certainly(ctx context.Context, command string, look Look, call func() error) (string, error) {
	for try := 1; ; try++ {
		err := call()
		if try > 1 && IsRefused(err) && look != nil {
			if found, id, failed := look(ctx); failed == nil && found {
				return id, nil
			}
			if !isRepeatable(command) {
				err = &OutcomeUnknown{Command: command, Err: err} // the first one may still be on its way
			}
			return "", err
		}
		unknown, ok := errors.AsType[*OutcomeUnknown](err)
		if !ok || look == nil || ctx.Err() != nil {
			return "", err
		}
		id, err := c.decide(ctx, look, c.lateness(command, unknown))
		switch {
		case err != nil:
			unknown.Err = errors.Join(unknown.Err, fmt.Errorf("look for it: %w", err))
			return "", unknown
		case id != "":
			return id, nil
		case try == mostTries:
			return "", unknown
		}
	}
}

// lateness is how long what was asked for may take to appear. A connection that broke says nothing about the server; a
// missed deadline says that it is slow.
func (c *caller) lateness(command string, unknown *OutcomeUnknown) time.Duration {
	if unknown.Late {
		return c.opts.Late
	}
	return min(c.opts.Late, soon+slowTimes*c.pace.typical(command))
}

// decide looks again and again, at least twice, for as long as given.
func (c *caller) decide(ctx context.Context, look Look, patience time.Duration) (string, error) {
	end := time.Now().Add(patience)
	for i := 0; ; i++ {
		if err := sleep(ctx, jitter(2+i)); err != nil {
			return "", err
		}
		found, id, err := look(ctx)
		switch {
		case err != nil:
			return "", err
		case found:
			return id, nil
		case i > 0 && !time.Now().Before(end):
			return "", nil
		}
	}
}

// isRepeatable says whether a command may be carried out twice without harm: what it asks for is then so already. One
// that removes something by its id finds nothing the second time.
func isRepeatable(command string) bool {
	if command == "generateUsageRecords" {
		return true
	}
	for _, verb := range []string{"update", "enable", "disable", "start", "stop", "restart", "register", "configure"} {
		if strings.HasPrefix(command, verb) {
			return true
		}
	}
	return removes(command)
}

// removes says whether a command removes something by its id.
func removes(command string) bool {
	for _, verb := range []string{"delete", "disassociate", "destroy", "expunge", "cleanup"} {
		if strings.HasPrefix(command, verb) {
			return true
		}
	}
	return false
}

// repeated makes a synchronous change again while its answer is lost, where that does no harm.
func (c *caller) repeated(ctx context.Context, command string, call func() error) error {
	for try := 1; ; try++ {
		err := call()
		unknown, ok := errors.AsType[*OutcomeUnknown](err)
		switch {
		case try > 1 && removes(command) && IsNotFound(err):
			return nil // it was carried out the first time
		case !ok || !isRepeatable(command) || try == mostTries || ctx.Err() != nil:
			return err
		}
		pause := jitter(2 + try)
		if unknown.Late {
			pause = min(c.opts.Late, c.pace.deadline(command, c.opts.Timeout))
		}
		if stopped := sleep(ctx, pause); stopped != nil {
			return err
		}
	}
}

// asked is a job of listAsyncJobs, which lists those that have not ended.
type asked struct {
	ID         string `json:"jobid"`
	Class      string `json:"cmd"`
	InstanceID string `json:"jobinstanceid"`
}

// running is the job of a call whose answer was lost: of the caller, of that command, on that object where the list
// tells, and not one whose id was answered. Empty: there is none, or it cannot be told which it is.
func (c *caller) running(ctx context.Context, command, object string) (string, error) {
	var list struct{ AsyncJobs []asked }
	if err := c.Call(ctx, "listAsyncJobs", nil, &list); err != nil {
		return "", err
	}
	var fits []asked
	for _, j := range list.AsyncJobs {
		if strings.HasSuffix(strings.ToLower(j.Class), "."+strings.ToLower(command)+"cmd") && !c.seen.has(j.ID) {
			if object != "" && j.InstanceID == object {
				return j.ID, nil
			}
			fits = append(fits, j)
		}
	}
	if len(fits) == 1 && (object == "" || fits[0].InstanceID == "") {
		return fits[0].ID, nil
	}
	return "", nil
}

// lookForJob finds the job of a repeatable call on an object; one that does not run any more is not found.
func (c *caller) lookForJob(command, object string) Look {
	return func(ctx context.Context) (bool, string, error) {
		id, err := c.running(ctx, command, object)
		return id != "", id, err
	}
}
