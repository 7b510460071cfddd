// Package inventory says what there is on a target: through the API, all accounts, and in the tables, by id. Package
// cleanup removes what it finds; the leak check compares two of it.
//
// It is not a ledger: it knows nothing of who made what, beyond the names that the run gave (see Ours).
//
// The one thing to know before changing it: an object is ours if its own name begins with the run's prefix or its
// account's name does. Everything else belongs to other people, however new it is, and is neither removed nor a leak.
package inventory
