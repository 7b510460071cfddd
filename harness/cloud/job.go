package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

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
		return &Error{Command: command, JobID: j.ID, Status: 200, Code: CodeInternal, Text: "the job's result is success=false: " + string(j.Result)}
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

// Look says whether the object of a create whose answer was lost exists, and its id.
type Look func(ctx context.Context) (found bool, id string, err error)

// Pending is an accepted asynchronous call.
type Pending struct {
	// ID is the object's uuid; CloudStack answers it at once for creates. Empty for other calls.
	ID string
	// JobID is empty when the answer was lost and Look found the object: its job is then unknown.
	JobID   string
	Command string
	c       *Client
}

// Wait polls the job to its end and decodes the object of its result into "into" (may be nil). A failed job is an *Error. When
// the end cannot be seen (ctx, or the server stopped answering) the error is *OutcomeUnknown. Without a JobID it returns at
// once and leaves "into" alone: read the object back by its ID.
func (p *Pending) Wait(ctx context.Context, into any) (Job, error) {
	if p.JobID == "" {
		return Job{Status: JobSuccess, InstanceID: p.ID}, nil
	}
	j, err := p.c.polls.wait(ctx, p.c.queryJob, p.JobID)
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

// Start makes an asynchronous call and returns when it is accepted. A lost answer is decided by look: found, its id is taken;
// not found after two looks, the call is made again, once. With a nil look it is *OutcomeUnknown.
func (c *Client) Start(ctx context.Context, command string, params Params, look Look) (*Pending, error) {
	var accepted struct {
		ID    string `json:"id"`
		JobID string `json:"jobid"`
	}
	found, err := c.certainly(ctx, look, func() error { return c.Call(ctx, command, params, &accepted) })
	switch {
	case err != nil:
		return nil, err
	case found != "":
		return &Pending{ID: found, Command: command, c: c}, nil
	case accepted.JobID == "":
		return nil, fmt.Errorf("%s: the answer names no job: it is not an asynchronous command", command)
	}
	return &Pending{ID: accepted.ID, JobID: accepted.JobID, Command: command, c: c}, nil
}

// certainly makes a create and lets look decide when its answer is lost. The id is set when look found the object.
func (c *Client) certainly(ctx context.Context, look Look, call func() error) (string, error) {
	for again := false; ; again = true {
		err := call()
		unknown, ok := errors.AsType[*OutcomeUnknown](err)
		if !ok || look == nil || ctx.Err() != nil {
			return "", err
		}
		id, err := c.decide(ctx, look)
		switch {
		case err != nil:
			unknown.Err = errors.Join(unknown.Err, fmt.Errorf("look for it: %w", err))
			return "", unknown
		case id != "":
			return id, nil
		case again:
			return "", unknown
		}
	}
}

// decide looks twice, because a request whose answer was lost may still be on its way through the server.
func (c *Client) decide(ctx context.Context, look Look) (string, error) {
	for i := range 2 {
		if err := sleep(ctx, jitter(2+2*i)); err != nil {
			return "", err
		}
		found, id, err := look(ctx)
		if err != nil {
			return "", err
		}
		if found {
			return id, nil
		}
	}
	return "", nil
}

// Create is Start for commands that answer the new object's id at once, so that a caller can note it before it waits.
func (c *Client) Create(ctx context.Context, command string, params Params, look Look) (*Pending, error) {
	p, err := c.Start(ctx, command, params, look)
	if err == nil && p.ID == "" {
		return nil, fmt.Errorf("%s: the answer names job %s but no object: it is not a create", command, p.JobID)
	}
	return p, err
}

// Job makes an asynchronous call, polls it to its end and decodes the object of its result into "into" (may be nil).
func (c *Client) Job(ctx context.Context, command string, params Params, into any) (Job, error) {
	p, err := c.Start(ctx, command, params, nil)
	if err != nil {
		return Job{}, err
	}
	return p.Wait(ctx, into)
}

// queryJob is one poll: one exchange, because the poller counts them and plans the next one itself.
func (c *Client) queryJob(ctx context.Context, id string) (Job, error) {
	const command = "queryAsyncJobResult"
	var j Job
	inner, err := c.raw(ctx, command, Params{"jobid": id}, once)
	if err != nil {
		return j, err
	}
	return j, decode(command, inner, &j)
}
