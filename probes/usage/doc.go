// Package usageprobe looks at what an Apache CloudStack site bills: the helper tables, events, records and jobs of
// cloud_usage, next to the live objects of cloud.
//
// It observes only: every statement is a SELECT with qualified names (cloud., cloud_usage.), so an account without any
// other right is enough, and the invariants are pure functions over what was read. It runs no usage job, waits for
// nothing and changes nothing.
//
// Know before changing: all times in these databases are GMT wall-clock text without a zone, one second fine. They are
// read as text and parsed as UTC; they must never pass through the session's or the driver's zone. And the truth about
// a resource's life is its own events in cloud.usage_event: LB and PF rules are really deleted, so after the fact no
// table remembers when they died.
package usageprobe
