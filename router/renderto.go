package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/router/logtext"
)

// RenderTo renders what it finds in the input (see ReadAny) with the rules of a release and writes it to w.
//
// As text it writes the file haproxy.cfg; with several pushes, each after a heading that begins with "#". As JSON it
// writes one object a push and line: config, add_rules, remove_rules, stat_rules. A log's pushes are rendered in order
// by one management server, so that a leak of keep-alive (Rules.KeepAliveLeaks) shows. The warnings say what of the
// input is not in what was written.
func RenderTo(w io.Writer, in []byte, release string, asJSON bool) (warnings []string, err error) {
	rules, err := RulesFor(release)
	if err != nil {
		return nil, err
	}
	pushes, warnings, err := ReadAny(in)
	if err != nil {
		return nil, err
	}
	if unknown := Unknown(pushes, rules); len(unknown) > 0 {
		warnings = append(warnings, fmt.Sprintf("fields that release %s does not render, left out: %s", release,
			strings.Join(unknown, ", ")))
	}
	renderer := new(Renderer)
	for i, p := range pushes {
		rendered, err := renderer.Render(p, rules)
		if err != nil {
			return warnings, describe(p, i, len(pushes), err)
		}
		if err := write(w, rendered, asJSON, heading(p, i, len(pushes))); err != nil {
			return warnings, fmt.Errorf("writing the rendered push: %w", err)
		}
	}
	return warnings, nil
}

func describe(p Push, i, n int, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("push %d of %d (log line %d): %w", i+1, n, p.Log.Line, err)
}

// heading is empty for a single push, so that its text is the file and nothing else.
func heading(p Push, i, n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("# push %d of %d, router %s, log line %d, Seq %s-%s, %s\n", i+1, n, p.Router(), p.Log.Line,
		p.Log.Agent, p.Log.Seq, p.Log.Time.Format("2006-01-02 15:04:05.000"))
}

func write(w io.Writer, r Rendered, asJSON bool, heading string) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return out.Encode(r)
	}
	_, err := w.Write(append([]byte(heading), r.File()...))
	return err
}

// ReadAny reads the pushes of an input whose form it tells by itself: a push as JSON in any form that ParsePush takes,
// a recorded case (an object with a "command"), several of these one after another, one log line, or a whole log;
// packed or not, in the forms of package logtext. The warnings say what of it is left out.
func ReadAny(in []byte) (pushes []Push, warnings []string, err error) {
	text, cut, err := logtext.Unpack(in)
	if err != nil {
		return nil, nil, err
	}
	if cut {
		warnings = append(warnings, "the packed file is cut short: what it holds up to there is read")
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, nil, errors.New("the input is empty: want a push as JSON or a management server's log")
	}
	if what := otherFile(trimmed); what != "" {
		return nil, nil, errors.New(what)
	}
	if values := valuesOf(trimmed); len(values) > 0 {
		pushes, err = readValues(values)
		return pushes, warnings, err
	}
	pushes, more, err := ReadPushes(bytes.NewReader(text))
	switch {
	case err != nil:
		return nil, nil, err
	case len(pushes) > 0:
		return pushes, append(warnings, more...), nil
	case trimmed[0] == '{' || trimmed[0] == '[':
		_, err := ParsePush(trimmed)
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("the input is neither JSON nor a log: %w", ErrNotPush)
}

// valuesOf is jsonValues of a text whose quotes may be escaped, or that was broken over lines inside of its words. A
// container's log is made of values, and is none of these.
func valuesOf(text []byte) []json.RawMessage {
	if logtext.IsWrapped(text) {
		return nil
	}
	text = []byte(logtext.Unescape(string(text)))
	if values := jsonValues(text); len(values) > 0 || text[0] != '{' && text[0] != '[' {
		return values
	}
	return jsonValues(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r"), nil), []byte("\n"), nil))
}

// otherFile says what an input is that people give in the place of a push; empty for what may be one.
func otherFile(text []byte) string {
	sections := 0
	for line := range strings.Lines(string(text[:min(len(text), 1<<16)])) {
		word, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if slices.Contains([]string{"global", "defaults", "listen", "frontend", "backend"}, word) {
			sections++
		}
	}
	if sections >= 2 {
		return "this is a haproxy.cfg, what a push renders to: give the push, which is the line with " + shortName +
			" of the management server's log (logger com.cloud at DEBUG) or of the host's agent.log"
	}
	var item struct {
		Config, Rules []json.RawMessage
		Command       json.RawMessage
	}
	if text[0] == '{' && json.Unmarshal(text, &item) == nil {
		if len(item.Command) == 0 && (len(item.Config) > 0 || len(item.Rules) > 0) {
			return "this is what a push renders to already (a router's load_balancer.json): its haproxy.cfg is the " +
				"lines of its configuration"
		}
	}
	return ""
}

// jsonValues takes an input of nothing but JSON values apart.
func jsonValues(in []byte) []json.RawMessage {
	var values []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(in)); ; {
		var v json.RawMessage
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF):
			return values
		case err != nil:
			return nil
		}
		values = append(values, v)
	}
}

func readValues(values []json.RawMessage) ([]Push, error) {
	var pushes []Push
	for i, v := range values {
		var recorded struct{ Command json.RawMessage }
		if v[0] == '{' && json.Unmarshal(v, &recorded) == nil && len(recorded.Command) > 0 {
			v = recorded.Command
		}
		p, err := ParsePush(v)
		if err != nil && len(values) > 1 {
			err = fmt.Errorf("value %d of %d: %w", i+1, len(values), err)
		}
		if err != nil {
			return nil, err
		}
		pushes = append(pushes, p)
	}
	return pushes, nil
}
