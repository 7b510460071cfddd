// Package dataplane finds out whether a load balancer rule is sticky by looking at where the requests of many clients
// land.
//
// It is not a judge of configuration: it does not read haproxy.cfg and cannot tell a stick table from "balance source".
// An Observation says only what was seen; Judge combines it with what the files say.
//
// The one thing to know before changing it: most ways of probing see stickiness where there is none. Clients that come
// in a fixed order, a number of clients that the number of backends divides, one live backend, clients behind one
// address, a connection that is kept, a reload in between: each gives a false pass. The order of steps in pass and the
// refusals in evaluate close them one by one, and a control rule without a policy, probed in the same pass by the same
// schedule, must be seen to be not sticky before anything is said about the target.
package dataplane
