package standing

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// lacks is a log whose warnings and errors are one line each, and each is said once: a client that asks again and again
// must not hide what else is missing.
func lacks(w io.Writer) *slog.Logger { return slog.New(&once{w: w, said: map[string]bool{}}) }

type once struct {
	w io.Writer

	mu   sync.Mutex
	said map[string]bool
}

// mostLines bounds what is remembered, and said, of a client that makes up names.
const mostLines = 1000

// Enabled implements slog.Handler.
func (*once) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// WithAttrs and WithGroup implement slog.Handler; nothing in a zone uses them.
func (o *once) WithAttrs([]slog.Attr) slog.Handler { return o }

// WithGroup implements slog.Handler.
func (o *once) WithGroup(string) slog.Handler { return o }

// plain is what may be shown as it is; names come from clients.
var plain = regexp.MustCompile(`^[\w .,:/\[\]()-]{0,300}$`)

// Handle implements slog.Handler.
func (o *once) Handle(_ context.Context, r slog.Record) error {
	line := "lab: " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		v := a.Value.String()
		if !plain.MatchString(v) {
			v = fmt.Sprintf("%.300q", v)
		}
		if a.Key != "stack" {
			line += ", " + a.Key + " " + strings.TrimSpace(v)
		}
		return true
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said[line] || len(o.said) >= mostLines {
		return nil
	}
	o.said[line] = true
	_, err := fmt.Fprintln(o.w, line)
	return err
}
