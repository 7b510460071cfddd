// Package existing is the target that somebody else built and runs: a management server with its usage server and two
// databases, on simulated or real hypervisors. It is reached through its API, a SELECT-only account, and the management
// server's log; where the zone has no real routers, each router of the log gets a shadow (package fleet).
//
// It is not a judge and keeps no objects: scenarios make and remove what they need. It never writes to a database.
//
// The one thing to know before changing it: all sites of a run share one usage server. A usage run takes up to two
// minutes there, so scenarios wait for it together (barrier); whoever keeps the others waiting must leave the barrier.
package existing
