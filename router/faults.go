package router

import "time"

// Hurry is how soon after a reload the next one is lost with Faults.ReloadsOverlap.
const Hurry = 150 * time.Millisecond

// Faults are planted: what a router could do wrong whatever its release. They begin once HAProxy runs, so that a story
// can start from a sound router. The zero value has none.
type Faults struct {
	// NeverCopies: haproxy.cfg.new is written and never copied over haproxy.cfg.
	NeverCopies bool
	// SkipsReload: haproxy.cfg is replaced and the process goes on with what it was started from.
	SkipsReload bool
	// ReloadsTwice: each change reloads HAProxy two times, so that what clients learned in between is lost again.
	ReloadsTwice bool
	// ReloadsOverlap: a reload that is asked for less than Hurry after the end of the one before is lost, as where a
	// master process gets a second signal while it still takes up the first (of two pushes within 50 ms the first one's
	// file may stay).
	ReloadsOverlap bool
	// StartsEmpty: HAProxy is not started when the router machine starts again.
	StartsEmpty bool
}
