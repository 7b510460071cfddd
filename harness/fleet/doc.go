// Package fleet stands in for the virtual routers of a zone whose hypervisors are simulated: each router that gets a
// push has its files, and from the moment somebody looks, a network namespace with a real HAProxy, its members as real
// servers at their guest addresses, and clients with addresses of their own. Guest networks of different routers may
// overlap.
//
// It does not know where pushes come from: the lab's zone hands them over, an existing zone's are read from its log.
//
// The one thing to know before changing it: the order of pushes matters, because up to 4.19.1 a router's file depends
// on what was there before (#9822).
package fleet
