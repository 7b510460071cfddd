package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Exchange is one recorded call: a line of a trace or of a recorded api.jsonl.
type Exchange struct {
	Command string         `json:"command"`
	Params  map[string]any `json:"params"`
	// Status is the HTTP status; 0 when no answer came, XDescription then says why.
	Status       int     `json:"status"`
	ContentType  *string `json:"contentType"`
	XDescription *string `json:"xDescription"`
	// Body is the answer; text that is not JSON is recorded as a JSON string.
	Body json.RawMessage `json:"body"`
	// Began is when the call was sent (UTC), Seconds how long its answer took; recordings of others have neither.
	Began   *time.Time `json:"began,omitempty"`
	Seconds float64    `json:"seconds,omitempty"`
}

const redacted = "redacted"

// Choosy is a trace that takes only some exchanges. The others cost nothing.
type Choosy interface {
	io.Writer
	// Takes says whether it wants an exchange, by the command, the HTTP status and the answer.
	Takes(command string, status int, body []byte) bool
}

// tracer writes exchanges, one a line, without secrets.
type tracer struct {
	mu      sync.Mutex
	w       io.Writer
	secrets []string
	err     error
}

// longSecrets are the values that are looked for everywhere. Short ones ("password") would garble words; they are
// removed by the name of their field.
func longSecrets(values ...string) []string {
	var long []string
	for _, v := range values {
		if len(v) >= 12 {
			long = append(long, v)
		}
	}
	return long
}

func (t *tracer) hide(values ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, longSecrets(values...)...)
}

func (t *tracer) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return fmt.Errorf("write the trace: %w", t.err)
	}
	return nil
}

func (t *tracer) record(command string, params map[string]string, r reply, failed error, began time.Time,
	took time.Duration) {
	if c, ok := t.w.(Choosy); ok && !c.Takes(command, r.status, r.body) {
		return
	}
	began = began.UTC().Truncate(time.Millisecond)
	e := Exchange{Command: command, Params: make(map[string]any, len(params)), Status: r.status, Body: bodyJSON(r.body),
		Began: &began, Seconds: took.Round(time.Microsecond).Seconds()}
	for k, v := range params {
		e.Params[k] = v
	}
	redact(e.Params)
	e.Body = withoutSecrets(e.Body)
	if r.contentType != "" {
		e.ContentType = &r.contentType
	}
	if failed != nil {
		r.description = failed.Error()
	}
	if r.description != "" {
		e.XDescription = &r.description
	}
	line, err := marshal(e)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.secrets {
		line = bytes.ReplaceAll(line, []byte(s), []byte(redacted))
	}
	if err == nil {
		_, err = t.w.Write(line)
	}
	t.err = errors.Join(t.err, err)
}

// marshal is json.Marshal plus newline without the escaping of <, > and &, which CloudStack does not do either.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func bodyJSON(body []byte) json.RawMessage {
	if len(body) == 0 {
		return json.RawMessage("null")
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		return compact.Bytes()
	}
	text, err := marshal(string(body))
	if err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSpace(text)
}

// withoutSecrets removes secrets by the names of their fields. A body without any keeps its bytes, and so the order of
// its keys.
func withoutSecrets(body json.RawMessage) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || !redact(v) {
		return body
	}
	clean, err := marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSpace(clean)
}

// redact replaces secrets in a decoded JSON value and says whether it found any.
func redact(v any) bool {
	found := false
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			found = redact(x) || found
		}
	case map[string]any:
		for name, x := range v {
			if s, ok := x.(string); ok {
				if s != "" && isSecret(name) {
					v[name], found = redacted, true
				}
				continue
			}
			found = redact(x) || found
		}
		// A configuration value: {"name": "some.secret.key", "value": "..."}.
		if name, ok := v["name"].(string); ok && isSecret(name) {
			for _, field := range []string{"value", "defaultvalue"} {
				if s, ok := v[field].(string); ok && s != "" {
					v[field], found = redacted, true
				}
			}
		}
	}
	return found
}

// isSecret says whether a field or configuration of that name holds a secret.
func isSecret(name string) bool {
	plain := strings.NewReplacer(".", "", "_", "", "-", "").Replace(strings.ToLower(name))
	switch plain {
	case "signature", "jsessionid", "totp", "codefor2fa", "secretcodefor2fa":
		return true
	}
	for _, end := range []string{"password", "passwd", "apikey", "secretkey", "secret", "sessionkey", "privatekey",
		"encryptionkey", "token"} {
		if strings.HasSuffix(plain, end) && plain != "zonetoken" {
			return true
		}
	}
	return false
}
