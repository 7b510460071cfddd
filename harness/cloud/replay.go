package cloud

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// longestLine is the longest line of a trace that is read; a listApis answer has some 10 MiB.
const longestLine = 64 << 20

// ReadTrace reads the exchanges of a trace or a recorded api.jsonl, in order. An error names the line.
func ReadTrace(r io.Reader) ([]Exchange, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	var all []Exchange
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		e, err := readExchange(line)
		if err != nil {
			return nil, fmt.Errorf("trace line %d: %w", n, err)
		}
		all = append(all, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("trace line %d: %w", len(all)+1, err)
	}
	return all, nil
}

func readExchange(line []byte) (Exchange, error) {
	var e Exchange
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&e); err != nil {
		return e, fmt.Errorf("not a recorded call: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return e, errors.New("not a recorded call: more than one JSON object on the line")
	}
	switch {
	case e.Command == "":
		return e, errors.New(`not a recorded call: no "command"`)
	case e.Status != 0 && (e.Status < 200 || e.Status > 599):
		return e, fmt.Errorf("not a recorded call: status %d is no final HTTP status", e.Status)
	}
	for name, v := range e.Params {
		switch v.(type) {
		case nil, string, bool, json.Number:
		default:
			return e, fmt.Errorf("not a recorded call: parameter %s is not a scalar", name)
		}
	}
	return e, nil
}

// player serves recorded exchanges.
type player struct {
	mu sync.Mutex
	// exact holds the exchanges of a command with given parameters, named those of a command.
	exact map[string][]*recorded
	named map[string][]*recorded
}

type recorded struct {
	Exchange
	served bool
}

// Replay serves a trace as a server, without authentication. A call is answered with the next recorded answer to the
// same command with the same parameters, and with the last one again when all were served; a call with other parameters
// gets the next recorded answer to its command. An unknown command is refused with 432. Parameters are compared as
// text, without those of authentication and form; secrets count as equal.
func Replay(trace io.Reader) (http.Handler, error) {
	all, err := ReadTrace(trace)
	if err != nil {
		return nil, err
	}
	p := &player{exact: map[string][]*recorded{}, named: map[string][]*recorded{}}
	for _, e := range all {
		if e.Status == 0 {
			continue // no answer came
		}
		r := &recorded{Exchange: e}
		name := strings.ToLower(e.Command)
		p.named[name] = append(p.named[name], r)
		key := callKey(e.Command, e.Params)
		p.exact[key] = append(p.exact[key], r)
	}
	return p, nil
}

// callKey is a command and its parameters in one normal form.
func callKey(command string, params map[string]any) string {
	clean := make(map[string]any, len(params))
	for name, v := range params {
		clean[strings.ToLower(name)] = scalar(v)
	}
	redact(clean)
	parts := []string{strings.ToLower(command)}
	for name, v := range clean {
		switch name {
		case "command", "response", "apikey", "signature", "signatureversion", "expires", "sessionkey", "_method", "_":
		default:
			parts = append(parts, fmt.Sprintf("%q=%q", name, v))
		}
	}
	slices.Sort(parts[1:])
	return strings.Join(parts, "&")
}

// scalar is a parameter's value as it is sent.
func scalar(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// ServeHTTP implements http.Handler.
func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, CodeMalformed, "errorresponse", "the request cannot be read: "+err.Error())
		return
	}
	params := map[string]any{}
	for name, v := range r.Form {
		params[name] = strings.Join(v, ":")
	}
	command := r.Form.Get("command")
	e, ok := p.next(command, params)
	if !ok {
		refuse(w, CodeUnsupported, "errorresponse",
			fmt.Sprintf("The given command '%s' either does not exist, is not available for user, or not available "+
				"from ip address: it is not in the recording", command))
		return
	}
	e.write(w)
}

func (p *player) next(command string, params map[string]any) (Exchange, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.exact[callKey(command, params)]; len(list) > 0 {
		return take(list), true
	}
	if list := p.named[strings.ToLower(command)]; len(list) > 0 {
		return take(list), true
	}
	return Exchange{}, false
}

// take is the first that was not served, or the last.
func take(list []*recorded) Exchange {
	for _, r := range list {
		if !r.served {
			r.served = true
			return r.Exchange
		}
	}
	return list[len(list)-1].Exchange
}

func (e Exchange) write(w http.ResponseWriter) {
	body := []byte(e.Body)
	var text string
	if json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	contentType := "application/json;charset=utf-8"
	if e.ContentType != nil {
		contentType = *e.ContentType
	}
	w.Header().Set("Content-Type", contentType)
	if e.XDescription != nil {
		w.Header().Set("X-Description", strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, *e.XDescription))
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // the client may be gone
}

func refuse(w http.ResponseWriter, code int, root, text string) {
	body, _ := marshal(map[string]any{root: map[string]any{"uuidList": []any{}, "errorcode": code, "cserrorcode": 9999,
		"errortext": text}})
	Exchange{Status: code, XDescription: &text, Body: body}.write(w)
}
