// Package mgmtlog reads the pushes that a management server logs: it follows the log's files, or a command that prints
// them, and sorts lines into pushes. It knows nothing of routers.
package mgmtlog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/logtext"
)

// Source is where log lines come from.
type Source interface {
	// Poll gives every line that was written since the last call.
	Poll(each func(line string)) error
	Close() error
	// Describe names what is followed.
	Describe() string
}

// Inbox sorts log lines into pushes: each request once (an agent may log sending and executing, a restarted command
// prints again), in order of their sequence number per router.
type Inbox struct {
	seen    map[request]bool
	newest  map[lane]int64 // last sequence number that was handed on
	Total   int            // pushes handed on, each request once, since the beginning
	batch   []router.Push
	Damaged []string // what could not be read or came too late, newest last
	Silent  int      // requests logged without their content
	Lines   int      // lines looked at
	lines   logtext.Lines
}

type request struct{ mgmt, agent, seq string }

// lane is what one management server sends to one router while an agent is connected: sequence numbers start again at
// random, above 48 bits that count, with each connection (AgentAttache.java@4.20.0.0).
type lane struct {
	router, mgmt, agent string
	connection          int64
}

func laneOf(p router.Push) lane {
	return lane{p.Router(), p.Log.MgmtID, p.Log.Agent, number(p.Log.Seq) >> 48}
}

// NewInbox is empty.
func NewInbox() *Inbox { return &Inbox{seen: map[request]bool{}, newest: map[lane]int64{}} }

// Add takes a log line.
func (b *Inbox) Add(line string) {
	b.Lines++
	line, whole := b.lines.Plain(line)
	if !whole {
		return
	}
	if !strings.Contains(line, PushWord) {
		return
	}
	p, is, err := router.ParseLogLine(line)
	var silent *router.NoContentError
	switch {
	case errors.As(err, &silent):
		b.Silent++
		return
	case err != nil:
		b.Damaged = append(b.Damaged, err.Error())
		return
	case !is:
		return
	}
	key := request{p.Log.MgmtID, p.Log.Agent, p.Log.Seq}
	if b.seen[key] {
		return
	}
	b.seen[key] = true
	b.Total++
	b.batch = append(b.batch, p)
}

// Take hands on what was added since the last call, each router's in the order in which they were sent. Of each
// router's, first tells where to begin; nil is for all.
func (b *Inbox) Take(first func([]router.Push) int) []router.Push {
	batch := b.batch
	b.batch = nil
	batch = inOrder(batch)
	if first != nil {
		batch = ofEach(batch, first)
	}
	var out []router.Push
	for _, p := range batch {
		l := laneOf(p)
		if last, known := b.newest[l]; known && number(p.Log.Seq) < last {
			b.Damaged = append(b.Damaged, fmt.Sprintf("push %s-%s of router %s came after %d", p.Log.Agent, p.Log.Seq,
				p.Router(), last))
			continue
		}
		b.newest[l] = number(p.Log.Seq)
		out = append(out, p)
	}
	return out
}

// inOrder gives router after router, the pushes of each as they were sent: those of a lane by sequence number, whatever
// the log's order and times say, and the lanes of a router merged by time. Sequence and time in one comparison would
// not do: it would contradict itself where the times of a lane are out of order.
func inOrder(batch []router.Push) []router.Push {
	lanes := map[lane][]router.Push{}
	var order []lane // as they were first seen, so that equal times keep the log's order
	for _, p := range batch {
		l := laneOf(p)
		if lanes[l] == nil {
			order = append(order, l)
		}
		lanes[l] = append(lanes[l], p)
	}
	for _, l := range order {
		slices.SortStableFunc(lanes[l], func(a, c router.Push) int {
			return cmp.Compare(number(a.Log.Seq),
				number(c.Log.Seq))
		})
	}
	slices.SortStableFunc(order, func(a, c lane) int { return cmp.Compare(a.router, c.router) })
	var out []router.Push
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].router == order[0].router {
			n++
		}
		out = append(out, merged(lanes, order[:n])...)
		order = order[n:]
	}
	return out
}

// merged takes the earliest head of the lanes until none is left. Of equal times the lane that was seen first goes
// first.
func merged(lanes map[lane][]router.Push, order []lane) []router.Push {
	var out []router.Push
	for {
		var next *lane
		for i := range order {
			if l := &order[i]; len(lanes[*l]) > 0 &&
				(next == nil || lanes[*l][0].Log.Time.Before(lanes[*next][0].Log.Time)) {
				next = l
			}
		}
		if next == nil {
			return out
		}
		out = append(out, lanes[*next][0])
		lanes[*next] = lanes[*next][1:]
	}
}

// ofEach expects the pushes of a router one after another.
func ofEach(batch []router.Push, first func([]router.Push) int) []router.Push {
	var out []router.Push
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].Router() == batch[0].Router() {
			n++
		}
		out = append(out, batch[first(batch[:n]):n]...)
		batch = batch[n:]
	}
	return out
}

// Newest is for Take: of each router the newest push only.
func Newest(pushes []router.Push) int { return len(pushes) - 1 }

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
