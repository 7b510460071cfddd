package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// pollCommand asks for the state of a job.
const pollCommand = "queryAsyncJobResult"

// Job states as queryAsyncJobResult gives them.
const (
	JobPending = 0
	JobSuccess = 1
	JobFailure = 2
)

// Job is the end of an asynchronous call.
type Job struct {
	ID           string          `json:"jobid"`
	Class        string          `json:"cmd"` // Java class of the command
	Status       int             `json:"jobstatus"`
	ResultCode   int             `json:"jobresultcode"`
	ResultType   string          `json:"jobresulttype"`
	Result       json.RawMessage `json:"jobresult"`
	InstanceType string          `json:"jobinstancetype"`
	InstanceID   string          `json:"jobinstanceid"`
	Created      string          `json:"created"`
	Completed    string          `json:"completed"`
}

// object decodes what is wrapped in the job's result. {"success": true} and {"null": {...}} (destroyVirtualMachine) are
// wrapped like any other.
func (j Job) object(command string, into any) error {
	var wrapped map[string]json.RawMessage
	if err := json.Unmarshal(j.Result, &wrapped); err != nil {
		return fmt.Errorf("%s: job %s: the result does not have the expected form: %w", command, j.ID, err)
	}
	if ok, is := wrapped["success"]; is && strings.Trim(string(ok), `"`) == "false" {
		return &Error{Command: command, JobID: j.ID, Status: 200, Code: CodeInternal,
			Text: "the job's result is success=false: " + string(j.Result)}
	}
	if into == nil {
		return nil
	}
	if len(wrapped) != 1 {
		return decode(command, j.Result, into)
	}
	for key, v := range wrapped {
		if key == "success" {
			v = j.Result
		}
		return decode(command, v, into)
	}
	return nil
}

// failure is the refusal of a failed job.
func (j Job) failure(command string) error {
	e := &Error{Command: command, JobID: j.ID, Status: 200, Code: j.ResultCode}
	var r struct {
		Code   int    `json:"errorcode"`
		CSCode int    `json:"cserrorcode"`
		Text   string `json:"errortext"`
	}
	if json.Unmarshal(j.Result, &r) == nil && r.Code != 0 {
		e.Code, e.CSCode, e.Text = r.Code, r.CSCode, r.Text
	} else {
		e.Text = strings.Trim(string(j.Result), `"`)
	}
	if e.Code == 0 {
		e.Code = CodeInternal
	}
	return e
}

// Pending is an accepted asynchronous call.
type Pending struct {
	// ID is the object's uuid; CloudStack answers it at once for creates. Empty for other calls.
	ID string
	// JobID is empty when the answer was lost and Look found the object: its job is then unknown.
	JobID   string
	Command string
	c       *caller
}

// Wait polls the job to its end and decodes the object of its result into "into" (may be nil). A failed job is an
// *Error. When the end cannot be seen (ctx, or the server stopped answering) the error is *OutcomeUnknown. Without a
// JobID it returns at once and leaves "into" alone: read the object back by its ID.
func (p *Pending) Wait(ctx context.Context, into any) (Job, error) {
	if p.JobID == "" {
		return Job{Status: JobSuccess, InstanceID: p.ID}, nil
	}
	began := time.Now()
	ended := func() {}
	if !isRemoval(p.Command) { // they have a bound of their own
		ended = p.c.pace.working()
	}
	j, err := p.c.polls.wait(ctx, p.c.queryJob, p.JobID)
	ended()
	if err == nil && !isRemoval(p.Command) {
		p.c.pace.answered(jobOf+p.Command, time.Since(began))
	}
	if err != nil {
		if IsRefused(err) {
			return j, err
		}
		return j, &OutcomeUnknown{Command: p.Command, JobID: p.JobID, Err: err}
	}
	if j.Status == JobFailure {
		return j, j.failure(p.Command)
	}
	return j, j.object(p.Command, into)
}

// Start makes an asynchronous call and returns when it is accepted. A lost answer is decided by look: found, its id and
// the job that makes it are taken; not found for as long as it may take, the call is made again. With a nil look a call
// that does no harm when it is carried out twice is made again, unless its job is found; any other is *OutcomeUnknown.
func (c *caller) Start(ctx context.Context, command string, params Params, look Look) (*Pending, error) {
	var accepted struct {
		ID    string `json:"id"`
		JobID string `json:"jobid"`
	}
	object, _ := params["id"].(string)
	byJob := look == nil && isRepeatable(command)
	if byJob {
		look = c.lookForJob(command, object)
	}
	tries := 0
	found, err := c.certainly(ctx, command, look,
		func() error { tries++; return c.Call(ctx, command, params, &accepted) })
	switch {
	case byJob && tries > 1 && removes(command) && IsNotFound(err):
		return &Pending{Command: command, c: c}, nil // it was carried out the first time
	case err != nil:
		return nil, err
	case byJob && found != "":
		c.seen.add(found)
		return &Pending{JobID: found, Command: command, c: c}, nil
	case found != "":
		job, err := c.running(ctx, command, found)
		if err != nil {
			job = "" // a server that does not list jobs
		}
		c.seen.add(found, job)
		return &Pending{ID: found, JobID: job, Command: command, c: c}, nil
	case accepted.JobID == "":
		return nil, fmt.Errorf("%s: the answer names no job: it is not an asynchronous command", command)
	}
	c.seen.add(accepted.ID, accepted.JobID)
	return &Pending{ID: accepted.ID, JobID: accepted.JobID, Command: command, c: c}, nil
}

// Create is Start for commands that answer the new object's id at once, so that a caller can note it before it waits.
func (c *caller) Create(ctx context.Context, command string, params Params, look Look) (*Pending, error) {
	p, err := c.Start(ctx, command, params, look)
	if err == nil && p.ID == "" {
		return nil, fmt.Errorf("%s: the answer names job %s but no object: it is not a create", command, p.JobID)
	}
	return p, err
}

// Job makes an asynchronous call, polls it to its end and decodes the object of its result into "into" (may be nil).
// Accounts and domains are removed a few at a time.
func (c *caller) Job(ctx context.Context, command string, params Params, into any) (Job, error) {
	if isRemoval(command) {
		over, err := c.pace.removal(ctx)
		if err != nil {
			return Job{}, fmt.Errorf("%s: %w while waiting for its turn", command, err)
		}
		defer over()
	}
	p, err := c.Start(ctx, command, params, nil)
	if err != nil {
		return Job{}, err
	}
	return p.Wait(ctx, into)
}

// queryJob is one poll: one exchange, because the poller counts them and plans the next one itself.
func (c *caller) queryJob(ctx context.Context, id string) (Job, error) {
	var j Job
	inner, err := c.raw(ctx, pollCommand, Params{"jobid": id}, once)
	if err != nil {
		return j, err
	}
	return j, decode(pollCommand, inner, &j)
}

// Creating is an accepted create of a T: its ID is known, its job may still run.
type Creating[T any] struct {
	Pending
	read func(ctx context.Context, id string) (*T, error)
}

// Wait returns the object of the job's result. When the answer to the create was lost and the object was found by
// looking, its job is unknown: the object is then read back as it is at that moment.
func (c *Creating[T]) Wait(ctx context.Context) (*T, error) {
	if c.JobID == "" {
		return c.read(ctx, c.ID)
	}
	var object T
	if _, err := c.Pending.Wait(ctx, &object); err != nil {
		return nil, err
	}
	return &object, nil
}

func create[T any](ctx context.Context, c *caller, command string, p Params, look Look,
	read func(context.Context, string) (*T, error)) (*Creating[T], error) {
	pending, err := c.Create(ctx, command, p, look)
	if err != nil {
		return nil, err
	}
	return &Creating[T]{Pending: *pending, read: read}, nil
}

func unexpected(command, want string, got json.RawMessage) error {
	return fmt.Errorf("%s: the answer does not have the expected form: want %s, got %s", command, want, firstWords(got))
}
