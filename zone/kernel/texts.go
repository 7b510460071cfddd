package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Concerns takes over what the event rows name.
func (c *Call) Concerns(s Subject) {
	if s.Owner != nil {
		c.Owner = s.Owner
	}
	if s.Kind != "" {
		c.EventResourceType = s.Kind
	}
	if s.Resource != 0 {
		c.EventResource = s.Resource
	}
	if s.Target.ID != 0 {
		c.Target.ID = s.Target.ID
	}
	if s.Target.UUID != "" {
		c.Target.UUID = s.Target.UUID
	}
}

// NullText is the column value of a text: NULL for an empty one.
func NullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Matches says whether a keyword is part of one of the names, upper and lower case apart; no keyword matches all.
func Matches(keyword string, names ...string) bool {
	return keyword == "" || slices.ContainsFunc(names, func(n string) bool {
		return strings.Contains(strings.ToLower(n), strings.ToLower(keyword))
	})
}

// ErrUnavailable is CloudStack's ResourceUnavailableException: a router that cannot be reached or answered
// result=false. Callers roll back on it, half-done as the release does.
var ErrUnavailable = errors.New("resource is unavailable")

// Unavailable reports whether an operation failed because of a router.
func Unavailable(err error) bool { return errors.Is(err, ErrUnavailable) }

// Worded is a text in the words of the release: from 4.20.3 on they speak of Instances (#7857).
func (p *profile) Worded(before, instance string) string {
	if p.On(release.TextsInstance) {
		return instance
	}
	return before
}

// ObjectText is how texts name an object: by before, or from 4.20.1 on by its kind and some of its fields, which are
// given as names and values in the order in which they are written.
func (p *profile) ObjectText(before, kind string, fields ...any) string {
	if !p.On(release.TextsNameObjects) {
		return before
	}
	words := make([]string, len(fields)/2)
	for i := range words {
		value, err := json.Marshal(fields[2*i+1])
		if err != nil {
			value = []byte("null")
		}
		words[i] = fmt.Sprintf("%q:%s", fields[2*i], value)
	}
	return kind + " {" + strings.Join(words, ",") + "}"
}

// BoolText, IntText and LongText are how the agent protocol's JSON writes booleans and numbers: every scalar is text
// (facts: confirmed.md 7).
func BoolText(b bool) string { return strconv.FormatBool(b) }

// IntText is a number of the agent protocol.
func IntText(n int) string { return strconv.Itoa(n) }

// LongText is a number of the agent protocol.
func LongText(n int64) string { return strconv.FormatInt(n, 10) }

// ManagementID is the number by which the management server names itself in its log.
const ManagementID = 2130706433

// Origin says who sends: what the log line's thread and logid show.
type Origin struct {
	Thread string // "API-Job-Executor-22" or "VmGroup-Monitor-1-1"
	Job    string // "job-34", "" for the monitor
	LogID  string // first eight digits of the job's uuid
}

type originKey struct{}

func jobOrigin(j *Job) Origin {
	return Origin{Thread: fmt.Sprintf("API-Job-Executor-%d", j.ID), Job: fmt.Sprintf("job-%d", j.ID), LogID: j.UUID[:8]}
}

// WithOrigin marks what runs under ctx as the work of o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf is whose work runs under ctx.
func OriginOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Thread: "API-Job-Executor-1"}
}

// StartWork is the inner job that starts a VM on behalf of o.
func (o Origin) StartWork() Origin {
	_, number, _ := strings.Cut(o.Job, "-")
	if number == "" {
		number = "1"
	}
	o.Thread, o.Job = "Work-Job-Executor-"+number, o.Job+"/job-"+number
	return o
}

// The packages of the commands' Java classes.
const (
	AdminClasses = "org.apache.cloudstack.api.command.admin."
	UserClasses  = "org.apache.cloudstack.api.command.user."
)
