// Package cleanup removes what a run made on a target: at the end of a scenario, and, by the run's ledger, after a
// crash.
//
// It removes what the scope owns and nothing else: accounts that the ledger names with everything in them, and objects
// with exactly the names or ids of the ledger. What cannot be removed is reported with the server's reason.
//
// The one thing to know before changing it: the answer of a delete decides nothing. Only a look that no longer finds
// the object does, so answers may be lost, doubled or wrong.
package cleanup
