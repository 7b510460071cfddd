package cloud

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Client talks to one management server as one user. It is safe for concurrent use.
type Client struct {
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
	c := &Client{opts: opts, http: hc, closeIdle: closeIdle, session: &session{}}
	if opts.Trace != nil {
		c.trace = &tracer{w: opts.Trace, secrets: longSecrets(opts.SecretKey, opts.APIKey, opts.Password)}
	}
	c.polls, c.seen = newPoller(opts.Eager), &seen{ids: map[string]bool{}}
	if !opts.Eager {
		c.pace = NewPacer(opts.Parallel)
	}
	return c, nil
}

// Pacer is what paces this client and those made of it; nil for an eager one.
func (c *Client) Pacer() *Pacer { return c.pace }

// URL is the API's address, as completed by New.
func (c *Client) URL() string { return c.opts.URL }

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
	return &Client{opts: o, http: c.http, closeIdle: func() {}, trace: c.trace, session: &session{}, polls: c.polls,
		pace: c.pace, seen: c.seen}, nil
}
