// Package ledger keeps the list of what a run creates on a target that outlives it: one file of JSON lines per run, in
// a state folder. What is about to be created is written and synced before the call is made, so that whatever happens
// to the process afterwards, somebody who reads the file knows what there may be (package cleanup does).
//
// It is not a copy of the target's state: it says what may exist, under which name and account, never what it looks
// like, and holds no key or password.
//
// The one thing to know before changing it: a run that lives holds a lock (flock) on its file, which the kernel gives
// back with the process. Nobody may remove what a locked ledger names.
package ledger
