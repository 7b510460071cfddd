// Package chaos runs stackproof itself as a process, against a lab zone that stands in this one, and does to that
// process and to its surroundings what may befall a run that nobody watches: it is killed at any of its calls, its
// server, database, log and routers fail. Then it looks at what the run said and at what is left.
//
// It judges stackproof, not CloudStack: the zone behaves as its release does, so the right verdicts are known.
//
// The one thing to know before changing it: the zone, the database and the proxies in front of them live in this
// process, so that they outlive whatever is done to the run; nothing is decided by what the run says of itself alone.
package chaos
