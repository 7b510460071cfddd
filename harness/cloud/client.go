// Package cloud is the client of CloudStack's API that scenarios and targets use: signed calls, login sessions or the
// integration port, typed errors, a job poller with a strict budget, and a trace that can be served again.
//
// It is not a model of CloudStack: it keeps no state about objects and interprets no answers beyond decoding them. It
// never judges; what an answer means is the scenario's business.
//
// Know before changing: a change (create, delete, update ...) must never be sent twice without somebody having looked.
// That is why changes are POSTs (net/http repeats a GET by itself), why only errors that prove that nothing was carried
// out are repeated, and why a lost answer is *OutcomeUnknown. Secrets must not reach an error text or the trace: the
// trace removes them by field name and by value, and errors of net/http are stripped of their URL, which holds key and
// signature.
//
// Commands that the recorded answers (testdata/conformance) show cloudstack-go v2.19.0 to get wrong go through types of
// our own: listLBStickinessPolicies decodes to nothing, createLBStickinessPolicy sends its parameters under a wrong
// name, and listUsageTypes of 4.19 loses the type's number. All other calls use its types of objects only, because its
// request side has neither contexts nor a way to say that a call must not be repeated, and its own job poller waits
// whole seconds. Whoever wants its services gets them with this client as their transport (Library).
package cloud

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Client talks to one management server as one user. It is safe for concurrent use. Any command can be called; those
// that have a method are grouped by subject.
type Client struct {
	*caller
	Accounts
	Settings
	Instances
	Networks
	Balancing
	Scaling
	Usage
	Simulator
}

// caller is what all subjects call through.
type caller struct {
	opts      Options
	http      *http.Client
	closeIdle func()
	trace     *tracer
	session   *session
	polls     *poller
	pace      *Pacer
	seen      *seen
}

// New checks the options and makes a client. It sends nothing: a login happens with the first call.
func New(opts Options) (*Client, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Late <= 0 {
		opts.Late = defaultLate
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	switch {
	case opts.Retries == 0:
		opts.Retries = defaultRetries
	case opts.Retries < 0:
		opts.Retries = 0
	}
	hc, closeIdle, err := opts.httpClient()
	if err != nil {
		return nil, err
	}
	c := &caller{opts: opts, http: hc, closeIdle: closeIdle, session: &session{}}
	if opts.Trace != nil {
		c.trace = &tracer{w: opts.Trace, secrets: longSecrets(opts.SecretKey, opts.APIKey, opts.Password)}
	}
	c.polls, c.seen = newPoller(opts.Eager), &seen{ids: map[string]bool{}}
	if !opts.Eager {
		c.pace = NewPacer(opts.Parallel)
	}
	return clientOf(c), nil
}

func clientOf(c *caller) *Client {
	return &Client{c, Accounts{c}, Settings{c}, Instances{c}, Networks{c}, Balancing{c}, Scaling{c}, Usage{c},
		Simulator{c}}
}

// Pacer is what paces this client and those made of it; nil for an eager one.
func (c *caller) Pacer() *Pacer { return c.pace }

// URL is the API's address, as completed by New.
func (c *caller) URL() string { return c.opts.URL }

// Close logs a session out, drops idle connections and reports what went wrong with the trace.
func (c *Client) Close(ctx context.Context) error {
	var errs []error
	if c.session.key() != "" {
		// Best effort: a session that cannot be ended dies by itself after its time-out.
		_, _ = c.exchange(ctx, "logout", map[string]string{}, true)
		c.session.drop()
	}
	c.closeIdle()
	if c.trace != nil {
		errs = append(errs, c.trace.failure())
	}
	return errors.Join(errs...)
}

// InProject is the same user's client whose calls are made in a project: what it makes belongs to the project, and it
// lists what does. It is closed with c.
func (c *Client) InProject(id string) *Client {
	o := c.opts
	o.Project = id
	return clientOf(&caller{opts: o, http: c.http, closeIdle: func() {}, trace: c.trace, session: c.session,
		polls: c.polls, pace: c.pace, seen: c.seen})
}

// As is a client of the same server with another user's keys. It shares connections, trace and the budget for job polls
// with c: however many users a run has, the server sees the polls of one client. Closing c closes the connections of
// both.
func (c *Client) As(apiKey, secretKey string) (*Client, error) {
	o := c.opts
	if o.Integration {
		if o.UserURL == "" {
			return nil, errors.New("cloud: the integration port knows no users and would act as the system: give " +
				"the address of the API")
		}
		o.URL, o.Integration = o.UserURL, false
	}
	o.APIKey, o.SecretKey = apiKey, secretKey
	o.Username, o.Password, o.Domain = "", "", ""
	if err := o.Check(); err != nil {
		return nil, err
	}
	if c.trace != nil {
		c.trace.hide(apiKey, secretKey)
	}
	return clientOf(&caller{opts: o, http: c.http, closeIdle: func() {}, trace: c.trace, session: &session{},
		polls: c.polls, pace: c.pace, seen: c.seen}), nil
}
