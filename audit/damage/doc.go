// Package damage makes sites whose usage rows are damaged, and keeps aside which ones are: an audit is tested against
// it, and stackproof lab up --damage shows it.
//
// A History is what a usage server of a release leaves behind after random creates and deletes. It is a model of the
// handlers as plain rules, in memory, so that it has the speed for millions of rows; a test compares it with package
// zone/usage. Nothing in it knows how an audit judges: the truth is written down as the server makes its mistakes.
package damage
