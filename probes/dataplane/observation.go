package dataplane

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Verdict is what a probe saw.
type Verdict string

// The four verdicts. Inconclusive always comes with a reason.
const (
	Sticky       Verdict = "STICKY"
	Partial      Verdict = "PARTIAL"
	NotSticky    Verdict = "NOT STICKY"
	Inconclusive Verdict = "INCONCLUSIVE"
)

// Pattern is how a client moved.
type Pattern string

const (
	// MovedOnce and then stayed: the table was lost, or the client's entry was, or its backend went down.
	MovedOnce Pattern = "moved once then stayed"
	// Alternates between backends: there is no entry at all.
	Alternates Pattern = "alternates"
)

// Step is one request of a client.
type Step struct {
	At      time.Time `json:"at"`
	Backend string    `json:"backend"`
}

// Mover is a client that was seen on more than one backend, with all its requests in order.
type Mover struct {
	Client  netip.Addr `json:"client"`
	Pattern Pattern    `json:"pattern"`
	Trace   []Step     `json:"trace"`
}

// Trace is which backend answered each request of a client, in the order in which they were sent.
type Trace struct {
	Client  netip.Addr
	Target  []string
	Control []string
}

// Failure is a request that was refused, cut, timed out or answered by nobody known.
type Failure struct {
	Rule   string     `json:"rule"`
	Client netip.Addr `json:"client"`
	Round  int        `json:"round"`
	At     time.Time  `json:"at"`
	Error  string     `json:"error"`
}

// Sources is how it is known that the clients had distinct addresses.
type Sources struct {
	// Told is how many clients' addresses the backends were told (PROXY line, X-Forwarded-For, or the connection
	// itself).
	Told int `json:"told"`
	// Distinct is how many different ones were among them.
	Distinct int `json:"distinct"`
	// Bound is how many different local addresses the connections really had.
	Bound int `json:"bound"`
	// TableUsed is how many entries the target's table had after the pass; nil where it cannot be seen.
	TableUsed *int `json:"tableused,omitempty"`
}

// Side is what one rule did in the pass.
type Side struct {
	Target
	// Backends that answered, sorted.
	Backends []string `json:"backends"`
	// Moved is K, the number of clients seen on more than one backend.
	Moved int `json:"moved"`
	// Cookies is how many clients were given a cookie.
	Cookies int `json:"cookies,omitempty"`
}

// Observation is the result of a probe: plain data, the evidence with it.
type Observation struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`

	Target  Side `json:"target"`
	Control Side `json:"control"`
	// Expected is E[K] without stickiness, with as many backends as answered on the control rule.
	Expected float64 `json:"expected"`
	// FalsePass is the chance that a rule without stickiness shows no mover when each request is dealt independently.
	FalsePass float64 `json:"falsepass"`
	// Resolution is the smallest fraction of client addresses without stickiness that is seen with 99 % confidence.
	Resolution float64 `json:"resolution"`

	Movers []Mover `json:"movers,omitempty"`
	// Traces are all requests of all clients; too many for a document that a person reads.
	Traces []Trace `json:"-"`
	// Homes is the backend on which each client's last request to the target landed.
	Homes map[netip.Addr]string `json:"homes,omitempty"`
	// LossAfter and LossBefore bound the one moment at which all movers moved, where there is such a moment.
	LossAfter  *time.Time `json:"lossafter,omitempty"`
	LossBefore *time.Time `json:"lossbefore,omitempty"`
	Failures   []Failure  `json:"failures,omitempty"`

	Method   Method `json:"method"`
	Seed     uint64 `json:"seed"`
	Clients  int    `json:"clients"`
	Requests int    `json:"requests"`
	// Passes counts those made; Discarded says why each but the last was thrown away.
	Passes    int      `json:"passes"`
	Discarded []string `json:"discarded,omitempty"`
	// Watched is false where the router's process and pushes could not be seen, and a reload only by its effect.
	Watched bool    `json:"watched"`
	Mark    string  `json:"mark,omitempty"`
	Sources Sources `json:"sources"`

	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	// LongestGap is the longest time in seconds between two requests of one client to the target.
	LongestGap float64  `json:"longestgap"`
	Notes      []string `json:"notes,omitempty"`
}

// maxTraces is how many movers String shows.
const maxTraces = 3

// String is a text for a person: the verdict in the first line, then what it rests on.
func (o Observation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", o.Target.Rule, o.Target.Address, o.Verdict)
	if o.Reason != "" {
		fmt.Fprintf(&b, " (%s)", o.Reason)
	}
	fmt.Fprintf(&b, "\n  %d of %d clients moved (without stickiness %.1f expected), control %s: %d; %d requests "+
		"each, by %s, seed %d",
		o.Target.Moved, o.Clients, o.Expected, o.Control.Rule, o.Control.Moved, o.Requests, o.Method, o.Seed)
	fmt.Fprintf(&b, "\n  backends %s; control %s", list(o.Target.Backends), list(o.Control.Backends))
	if o.Sources.TableUsed != nil {
		fmt.Fprintf(&b, "\n  stick table: %d entries", *o.Sources.TableUsed)
	}
	for _, d := range o.Discarded {
		fmt.Fprintf(&b, "\n  discarded pass: %s", d)
	}
	if !o.Watched {
		b.WriteString("\n  the router's process and pushes were not visible")
	}
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "\n  %s", n)
	}
	o.writeMovers(&b)
	for i, f := range o.Failures {
		if i == maxTraces {
			fmt.Fprintf(&b, "\n  and %d more failed requests", len(o.Failures)-i)
			break
		}
		fmt.Fprintf(&b, "\n  failed: %s from %s, request %d at %s: %s", f.Rule, f.Client, f.Round+1,
			f.At.Format("15:04:05.000"), f.Error)
	}
	return b.String()
}

func (o Observation) writeMovers(b *strings.Builder) {
	if len(o.Movers) == 0 {
		return
	}
	once := 0
	for _, m := range o.Movers {
		if m.Pattern == MovedOnce {
			once++
		}
	}
	fmt.Fprintf(b, "\n  movers: %d moved once then stayed, %d alternate", once, len(o.Movers)-once)
	if o.LossAfter != nil {
		fmt.Fprintf(b, "; all between %s and %s: the table was lost", o.LossAfter.Format("15:04:05.000"),
			o.LossBefore.Format("15:04:05.000"))
	}
	for i, m := range o.Movers {
		if i == maxTraces {
			fmt.Fprintf(b, "\n  and %d more", len(o.Movers)-i)
			return
		}
		fmt.Fprintf(b, "\n  %s %s:", m.Client, m.Pattern)
		for _, s := range m.Trace {
			fmt.Fprintf(b, " %s %s", s.At.Format("15:04:05.000"), s.Backend)
		}
	}
}

func list(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, " ")
}
