// Package audit looks at a whole site for damaged usage rows and for rules that a router refuses: which rows lie, what
// that cost, whether an upgrade will break load balancers, and how to repair safely.
//
// It reads with SELECT only, in one consistent snapshot, in statements that each touch a bounded range of ids. Nothing
// is written but by Apply and Undo of a repair plan, which refuse unless everything is as the plan saw it. It asks no
// API and knows nothing of scenarios.
//
// Know before changing: columns decide what is there, never the text of a version, because sites are upgraded half-way
// and patched by hand. Times are GMT wall clock without a zone: they are turned into seconds by the server without
// passing through the session's zone. The verdict on a resource is that of package usageprobe (Subject.Judge); this
// package only brings the rows together.
package audit
