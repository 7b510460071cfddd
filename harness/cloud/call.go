package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	firstPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
	// mostThrottled bounds how long one call puts up with being throttled: CloudStack's interval is 1 s by default.
	mostThrottled = 2 * time.Minute
)

// Call makes one call and decodes what is below the answer's root key into "into" (nil: the answer is only checked).
//
// Reads (list…, get…, query…, find…) are repeated after transport errors and 5xx answers of something in front of
// CloudStack. A change is repeated only where it is certain that it was not carried out: the connection could not be
// made, or the server throttled it. A change whose answer was lost returns *OutcomeUnknown.
func (c *caller) Call(ctx context.Context, command string, params Params, into any) error {
	inner, err := c.raw(ctx, command, params, c.opts.Retries)
	if err != nil {
		return err
	}
	return decode(command, inner, into)
}

// Change makes a synchronous change. One that does no harm when it is carried out twice (update, enable, delete ...) is
// made again when its answer was lost; any other returns *OutcomeUnknown.
func (c *caller) Change(ctx context.Context, command string, params Params, into any) error {
	return c.repeated(ctx, command, func() error { return c.Call(ctx, command, params, into) })
}

// once marks a call that its caller repeats itself: even throttling is reported at once.
const once = -1

func decode(command string, inner json.RawMessage, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(inner, into); err != nil {
		return fmt.Errorf("%s: the answer does not have the expected form: %w", command, err)
	}
	return nil
}

// raw makes a call with its repeats and returns what is below the root key.
func (c *caller) raw(ctx context.Context, command string, params Params, retries int) (json.RawMessage, error) {
	if command == "" {
		return nil, errors.New("cloud: a call without a command")
	}
	values, err := params.values()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	if c.opts.Project != "" && values["projectid"] == "" {
		values["projectid"] = c.opts.Project // commands without the parameter take no notice
	}
	read := isRead(command)
	begun := time.Now()
	relogged := false
	for attempt := 0; ; attempt++ {
		inner, stale, err := c.attempt(ctx, command, values)
		if err == nil {
			return inner, nil
		}
		var pause time.Duration
		switch {
		case ctx.Err() != nil:
			return nil, lost(read, command, err)
		case IsUnauthorized(err) && c.opts.Username != "" && !relogged:
			relogged = true
			if _, err := c.logIn(ctx, stale); err != nil {
				return nil, err
			}
			continue
		case retries != once && Code(err) == CodeThrottled && time.Since(begun) < mostThrottled:
			pause = throttlePause(err, attempt)
		case attempt < retries && (read && isPassing(err) || wasNeverSent(err)):
			pause = jitter(attempt)
		default:
			return nil, lost(read, command, err)
		}
		if stopped := sleep(ctx, pause); stopped != nil {
			return nil, fmt.Errorf("%s: %w while waiting to repeat it after: %w", command, stopped, err)
		}
	}
}

// attempt is one exchange, with a login before it where that is due. The second value is the session key that it used.
func (c *caller) attempt(ctx context.Context, command string, values map[string]string) (json.RawMessage, string,
	error) {
	key := ""
	if c.opts.Username != "" {
		if key = c.session.key(); key == "" {
			var err error
			if key, err = c.logIn(ctx, ""); err != nil {
				return nil, "", loginFailed(err)
			}
		}
	}
	r, err := c.exchange(ctx, command, values, false)
	if err != nil {
		return nil, key, err
	}
	inner, err := r.answer(command)
	return inner, key, err
}

// loginFailed marks a failed login as something that did not send the call itself.
func loginFailed(err error) error {
	if t, ok := errors.AsType[*transportError](err); ok {
		return &transportError{command: t.command, sent: false, err: t.err}
	}
	if g, ok := errors.AsType[*gatewayError](err); ok {
		return &transportError{command: g.command, sent: false, err: g}
	}
	return err
}

// isRead says whether a command changes nothing, by its name. Three that look like reads are not.
func isRead(command string) bool {
	lower := strings.ToLower(command)
	switch lower {
	case "listandswitchsamlaccount", "getuploadparamsforvolume", "getuploadparamsfortemplate", "getuploadparamsforiso":
		return false
	}
	for _, verb := range []string{"list", "get", "query", "find", "is"} {
		if strings.HasPrefix(lower, verb) {
			return true
		}
	}
	return false
}

// isPassing says whether a read may do better next time.
func isPassing(err error) bool {
	if _, ok := errors.AsType[*transportError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*gatewayError](err); ok {
		return true
	}
	_, ok := errors.AsType[*NotReady](err)
	return ok
}

func wasNeverSent(err error) bool {
	t, ok := errors.AsType[*transportError](err)
	return ok && !t.sent
}

// lost turns the failure of a change that may have happened into *OutcomeUnknown.
func lost(read bool, command string, err error) error {
	if read {
		return err
	}
	if t, ok := errors.AsType[*transportError](err); ok {
		if t.sent {
			return &OutcomeUnknown{Command: command, Late: t.late, Err: t.err}
		}
		return err
	}
	if g, ok := errors.AsType[*gatewayError](err); ok {
		return &OutcomeUnknown{Command: command, Late: g.status == http.StatusGatewayTimeout, Err: g}
	}
	return err
}

// jitter is the pause before repeat number attempt+1: between half and all of a doubling time.
func jitter(attempt int) time.Duration {
	full := min(firstPause<<min(attempt, 10), mostPause)
	return full/2 + rand.N(full/2)
}

func throttlePause(err error, attempt int) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok && e.retryAfter > 0 {
		return e.retryAfter + rand.N(firstPause/2)
	}
	return jitter(attempt + 2)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// setUpTries is how often a set-up step is tried, all in all, each time on a new object.
const setUpTries = 3

// longWork is how long a server works on a call before its refusal is one for want of a lock, which it waits for up to
// 50 s (innodb_lock_wait_timeout; associateIpAddress of a running 4.20.3.0 with 40 accounts at work).
const longWork = 5 * time.Second

// MayPass says whether a refusal is of the kind that a busy server gives and takes back: a job that failed inside (530:
// the router was late, a lock was not had), or a call that it worked on for long; no capacity, nothing available just
// now. Refused parameters, rights and limits stay.
func MayPass(err error) bool {
	if _, unknown := errors.AsType[*OutcomeUnknown](err); unknown {
		return false // look for the object first
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.JobID == "" && e.Code == CodeInternal && e.Took < longWork {
		return false // refused at once: it would be again
	}
	switch e.Code {
	case CodeInternal, CodeCapacity, CodeUnavailable, CodeAllocation:
		return true
	}
	return false
}

// SetUp makes a set-up step again, on a new object each time, while a busy server refuses it: three times in all. Each
// refusal is reported. It is for what a scenario needs, never for what it tests.
func SetUp(ctx context.Context, report func(try int, refusal error), step func(try int) error) error {
	for try := 1; ; try++ {
		err := step(try)
		if err == nil || try == setUpTries || !MayPass(err) || ctx.Err() != nil {
			return err
		}
		report(try, err)
		if stopped := sleep(ctx, jitter(try+3)); stopped != nil {
			return err
		}
	}
}
