package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// RenderTo renders what it finds in the input (see ReadAny) with the rules of a release and writes it to w.
//
// As text it writes the file haproxy.cfg; with several pushes, each after a heading that begins with "#". As JSON it
// writes one object a push and line: config, add_rules, remove_rules, stat_rules. A log's pushes are rendered in order
// by one management server, so that a leak of keep-alive (Rules.KeepAliveLeaks) shows.
func RenderTo(w io.Writer, in []byte, release string, asJSON bool) error {
	rules, err := RulesFor(release)
	if err != nil {
		return err
	}
	pushes, err := ReadAny(in)
	if err != nil {
		return err
	}
	renderer := new(Renderer)
	for i, p := range pushes {
		rendered, err := renderer.Render(p, rules)
		if err != nil {
			return describe(p, i, len(pushes), err)
		}
		if err := write(w, rendered, asJSON, heading(p, i, len(pushes))); err != nil {
			return fmt.Errorf("writing the rendered push: %w", err)
		}
	}
	return nil
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
// a recorded case (an object with a "command"), several of these one after another, one log line, or a whole log.
func ReadAny(in []byte) ([]Push, error) {
	trimmed := bytes.TrimSpace(in)
	if len(trimmed) == 0 {
		return nil, errors.New("the input is empty: want a push as JSON or a management server's log")
	}
	if values := jsonValues(trimmed); len(values) > 0 {
		return readValues(values)
	}
	pushes, err := ReadPushes(bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	if len(pushes) == 0 {
		if trimmed[0] == '{' || trimmed[0] == '[' {
			_, err := ParsePush(trimmed)
			return nil, err
		}
		return nil, fmt.Errorf("the input is neither JSON nor a log: %w", ErrNotPush)
	}
	return pushes, nil
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
