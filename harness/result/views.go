package result

import (
	"encoding/json"
	"time"
)

// Views are what a report draws of a case: plain data, collected while the story was told. All of it may be empty.
type Views struct {
	Moments  []Moment  `json:"moments,omitempty"`
	Lives    []Life    `json:"lives,omitempty"`
	Grids    []Grid    `json:"grids,omitempty"`
	Sections []Section `json:"sections,omitempty"`
}

// Call is one API call of the story, without secrets.
type Call struct {
	At      time.Time       `json:"at,omitzero"` // when it was sent, by this machine's clock
	Seconds float64         `json:"seconds"`     // how long its answer took
	Command string          `json:"command"`
	Params  map[string]any  `json:"params,omitempty"`
	Status  int             `json:"status"` // of HTTP; 0 when no answer came
	Error   string          `json:"error,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

// Kinds of moments.
const (
	MomentUsageRun = "usage-run"
	MomentPush     = "push"
	MomentReload   = "reload"
)

// Moment is something that happened during a step besides what the step itself did.
type Moment struct {
	Step  int       `json:"step"` // index of the step, from 0
	Kind  string    `json:"kind"`
	Count int       `json:"count,omitempty"` // how many, where it is more than a single event; 0 means one
	At    time.Time `json:"at,omitzero"`     // in the target's time, where it is known
	Says  string    `json:"says"`
}

// Life is one row of a usage helper table beside the life of what it bills. All times are the database's, of whole
// seconds.
type Life struct {
	Kind     string `json:"kind"`           // e.g. "load balancer rule"
	Table    string `json:"table"`          // of cloud_usage
	Name     string `json:"name,omitempty"` // as the story calls it
	UUID     string `json:"uuid,omitempty"`
	ID       int64  `json:"id"`        // internal id of what is billed
	HelperID int64  `json:"helper_id"` // id of the row

	Born   *time.Time `json:"born,omitempty"` // by its own usage event; nil when there is none
	Died   *time.Time `json:"died,omitempty"` // by its own usage event; nil while alive
	Opened time.Time  `json:"opened"`         // the row's
	Closed *time.Time `json:"closed,omitempty"`
	// ClosedBy names another resource whose delete event has the second at which the row was closed.
	ClosedBy string `json:"closed_by,omitempty"`
	// Class is that of the finding about what is billed; empty when there is none.
	Class string `json:"class,omitempty"`
	// Billed are the windows of its records, joined where they touch.
	Billed []Billed `json:"billed,omitempty"`
	// Records are its newest usage records, oldest first: the window of each, and the hours of it that are billed.
	Records []Billed `json:"records,omitempty"`
}

// Billed is a stretch of time that usage records bill.
type Billed struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"` // the second after the last one
	Hours float64   `json:"hours"`
}

// Grid shows which backend answered each request of each client on a rule, and on the control rule beside it.
type Grid struct {
	Rule     string    `json:"rule"`
	Control  string    `json:"control"`
	Verdict  string    `json:"verdict"`
	Reason   string    `json:"reason,omitempty"`
	Backends []string  `json:"backends"` // those of the control rule too
	Clients  []GridRow `json:"clients"`
}

// GridRow is one client. The numbers are indices into Grid.Backends, a request each, in the order in which they were
// sent.
type GridRow struct {
	Client  string `json:"client"`
	Rule    []int  `json:"rule"`
	Control []int  `json:"control"`
}

// Section is a listen section of haproxy.cfg at its four stations. A list that is nil says that the section is not
// there.
type Section struct {
	Router  string   `json:"router"`
	Name    string   `json:"name"`
	Rule    string   `json:"rule,omitempty"`    // the load balancer rule that it belongs to
	Push    []string `json:"push,omitempty"`    // as the newest push renders it
	Written []string `json:"written,omitempty"` // in haproxy.cfg.new
	Live    []string `json:"live,omitempty"`    // in haproxy.cfg
	Process []string `json:"process,omitempty"` // in the file that the running process was started from
	Refusal string   `json:"refusal,omitempty"` // what HAProxy said of the last file that it refused
}
