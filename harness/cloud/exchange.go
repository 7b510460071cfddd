package cloud

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// expiry is how long a signature is good for. It must exceed clock skew between us and the server, not the call's
	// time.
	expiry = 15 * time.Minute
	// longQuery is from where a call is posted: servers and proxies commonly refuse request lines over 8 KiB.
	longQuery = 2000
	// largest is the size of answer that is read; more is an error.
	largest = 256 << 20
)

// reply is one complete HTTP answer.
type reply struct {
	status      int
	contentType string
	description string // X-Description
	retryAfter  time.Duration
	cookies     []*http.Cookie
	body        []byte
	took        time.Duration
}

// exchange makes one HTTP exchange when the server has room for it. bare leaves authentication out (login, logout).
func (c *caller) exchange(ctx context.Context, command string, params map[string]string, bare bool) (reply, error) {
	if !bare && command != pollCommand { // polls have a budget of their own
		leave, err := c.pace.enter(ctx, !isRead(command))
		if err != nil {
			return reply{}, &transportError{command: command, err: fmt.Errorf("%w while waiting for its turn", err)}
		}
		defer leave()
	}
	deadline := c.pace.deadline(command, c.opts.Timeout)
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	req, err := c.request(limited, command, params, bare)
	if err != nil {
		return reply{}, err
	}
	began := time.Now()
	r, err := c.send(req)
	took := time.Since(began)
	r.took = took
	if err != nil {
		err = &transportError{command: command, sent: !neverSent(err), late: ctx.Err() == nil && limited.Err() != nil,
			err: plain(err)}
	}
	if c.trace != nil {
		c.trace.record(command, params, r, err, began, took)
	}
	if ctx.Err() == nil {
		_, failed := r.answer(command)
		c.pace.note(command, took, deadline, cmp.Or(err, failed))
	}
	return r, err
}

func (c *caller) send(req *http.Request) (reply, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	if err != nil {
		return reply{}, fmt.Errorf("the answer was cut short: %w", err)
	}
	if len(body) > largest {
		return reply{}, fmt.Errorf("the answer is larger than %d MiB", largest>>20)
	}
	return reply{
		status:      resp.StatusCode,
		contentType: resp.Header.Get("Content-Type"),
		description: resp.Header.Get("X-Description"),
		retryAfter:  retryAfter(resp.Header.Get("Retry-After"), c.opts.Now()),
		cookies:     resp.Cookies(),
		body:        body,
	}, nil
}

func (c *caller) request(ctx context.Context, command string, params map[string]string, bare bool) (*http.Request,
	error) {
	values := maps.Clone(params)
	values["command"] = command
	values["response"] = "json"
	switch {
	case bare && c.session.key() != "":
		values["sessionkey"] = c.session.key()
	case bare || c.opts.Integration:
	case c.opts.APIKey != "":
		values["apikey"] = c.opts.APIKey
		values["signatureversion"] = "3"
		values["expires"] = c.opts.Now().Add(expiry).UTC().Format("2006-01-02T15:04:05-0700")
		values["signature"] = sign(encode(values), c.opts.SecretKey)
	default:
		values["sessionkey"] = c.session.key()
	}
	req, err := c.httpRequest(ctx, command, wire(values), bare)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	for _, k := range c.session.cookies() {
		req.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value})
	}
	return req, nil
}

// httpRequest posts whatever is not a short read. net/http sends a GET a second time when a kept connection dies under
// it, which must not happen to a change; it does not do so to a POST once a byte was written.
func (c *caller) httpRequest(ctx context.Context, command, query string, bare bool) (*http.Request, error) {
	if isRead(command) && !bare && (len(query) <= longQuery || c.opts.Integration) {
		return http.NewRequestWithContext(ctx, http.MethodGet, c.opts.URL+"?"+query, nil)
	}
	if c.opts.Integration {
		return http.NewRequestWithContext(ctx, http.MethodPost, c.opts.URL+"?"+query, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.opts.URL, strings.NewReader(query))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

// answer is what is below the root key, or why there is none. The root's name is not looked at: it is irregular
// (createLBStickinessPolicy, deleteLBstickinessrruleresponse, counterresponse, simulatormock).
func (r reply) answer(command string) (json.RawMessage, error) {
	var roots map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &roots); err != nil || len(roots) != 1 {
		return nil, r.unreadable(command)
	}
	var inner json.RawMessage
	for _, v := range roots {
		inner = v
	}
	if r.status == http.StatusOK {
		return inner, nil
	}
	var e struct {
		Code   int    `json:"errorcode"`
		CSCode int    `json:"cserrorcode"`
		Text   string `json:"errortext"`
	}
	if json.Unmarshal(inner, &e) != nil || e.Code == 0 || inFront(r.status) {
		return nil, r.unreadable(command)
	}
	return nil, &Error{Command: command, Status: r.status, Code: e.Code, CSCode: e.CSCode, Text: e.Text,
		Took: r.took, retryAfter: max(r.retryAfter, throttledFor(e.Text))}
}

// inFront says whether a status belongs to a proxy or the servlet container: CloudStack's own codes start at 530.
func inFront(status int) bool { return status >= 500 && status < 511 }

func (r reply) unreadable(command string) error {
	saw := firstWords(r.body)
	body := bytes.TrimSpace(r.body)
	looksJSON := len(body) > 0 && body[0] == '{'
	switch {
	case r.status == http.StatusTooManyRequests:
		return &Error{Command: command, Status: r.status, Code: CodeThrottled, Text: orWord(saw, "too many requests"),
			retryAfter: r.retryAfter}
	case r.status == http.StatusOK && (looksJSON || len(body) == 0):
		return &transportError{command: command, sent: true, err: fmt.Errorf("the answer was cut short after %d bytes",
			len(r.body))}
	case r.status >= 500 && r.status != http.StatusServiceUnavailable:
		return &gatewayError{command: command, status: r.status, saw: saw}
	}
	return &NotReady{Command: command, Status: r.status, ContentType: r.contentType, Saw: saw}
}

// neverSent says whether it is certain that the server saw nothing of the request.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// plain takes off what net/http puts around an error: its text holds the URL, and so the key and the signature.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// firstWords is the beginning of an answer on one line, markup removed, for a message.
func firstWords(body []byte) string {
	const most = 120
	var b strings.Builder
	inTag, blank := false, true
	for _, r := range string(body[:min(len(body), 4096)]) {
		switch {
		case r == '<':
			inTag = true
		case r == '>':
			inTag, r = false, ' '
			fallthrough
		case !inTag:
			if r <= ' ' {
				if !blank {
					b.WriteByte(' ')
				}
				blank = true
				continue
			}
			blank = false
			b.WriteRune(r)
		}
		if b.Len() >= most {
			return strings.TrimSpace(b.String()) + "…"
		}
	}
	return strings.TrimSpace(b.String())
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(header); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// throttledFor reads CloudStack's own text, "... please retry after 1234 ms." (plugins/api/rate-limit,
// ApiRateLimitServiceImpl.java@4.20.0.0).
func throttledFor(text string) time.Duration {
	_, after, ok := strings.Cut(text, "retry after ")
	if !ok {
		return 0
	}
	number, unit, _ := strings.Cut(after, " ")
	ms, err := strconv.Atoi(number)
	if err != nil || ms < 0 || !strings.HasPrefix(unit, "ms") {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
