package existing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/router"
)

// inbox sorts log lines into pushes: each request once (an agent may log sending and executing, a restarted command prints
// again), in order of their sequence number per router.
type inbox struct {
	seen    map[request]bool
	newest  map[lane]int64 // last sequence number that was handed on
	total   int            // pushes handed on, each request once, since the beginning
	batch   []router.Push
	damaged []string // what could not be read or came too late, newest last
	silent  int      // requests logged without their content
	lines   int      // lines looked at
}

type request struct{ mgmt, agent, seq string }

// lane is what one management server sends to one router while an agent is connected: sequence numbers start again at random,
// above 48 bits that count, with each connection (AgentAttache.java@4.20.0.0).
type lane struct {
	router, mgmt, agent string
	connection          int64
}

func laneOf(p router.Push) lane {
	return lane{p.Router(), p.Log.MgmtID, p.Log.Agent, number(p.Log.Seq) >> 48}
}

func newInbox() *inbox { return &inbox{seen: map[request]bool{}, newest: map[lane]int64{}} }

// add takes a log line.
func (b *inbox) add(line string) {
	b.lines++
	if !strings.Contains(line, pushWord) {
		return
	}
	p, is, err := router.ParseLogLine(line)
	switch {
	case err != nil && strings.Contains(err.Error(), "without its content"):
		b.silent++
		return
	case err != nil:
		b.damaged = append(b.damaged, err.Error())
		return
	case !is:
		return
	}
	key := request{p.Log.MgmtID, p.Log.Agent, p.Log.Seq}
	if b.seen[key] {
		return
	}
	b.seen[key] = true
	b.total++
	b.batch = append(b.batch, p)
}

// take hands on what was added since the last call, each router's in the order in which they were sent. Of each router's,
// first tells where to begin; nil is for all.
func (b *inbox) take(first func([]router.Push) int) []router.Push {
	batch := b.batch
	b.batch = nil
	slices.SortStableFunc(batch, func(a, c router.Push) int {
		if by := cmp.Compare(a.Router(), c.Router()); by != 0 {
			return by
		}
		if laneOf(a) == laneOf(c) {
			return cmp.Compare(number(a.Log.Seq), number(c.Log.Seq))
		}
		return a.Log.Time.Compare(c.Log.Time)
	})
	if first != nil {
		batch = ofEach(batch, first)
	}
	var out []router.Push
	for _, p := range batch {
		l := laneOf(p)
		if last, known := b.newest[l]; known && number(p.Log.Seq) < last {
			b.damaged = append(b.damaged, fmt.Sprintf("push %s-%s of router %s came after %d", p.Log.Agent, p.Log.Seq, p.Router(), last))
			continue
		}
		b.newest[l] = number(p.Log.Seq)
		out = append(out, p)
	}
	return out
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

func newest(pushes []router.Push) int { return len(pushes) - 1 }

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
