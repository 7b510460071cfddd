package cloud

import (
	"errors"
	"regexp"
)

// thrown are the words by which an answer shows that code of the server threw what nobody there expected: the texts of
// Java's own exceptions, of a database's errors, and names of exception classes (confirmed.md 36).
var thrown = regexp.MustCompile(`Cannot (invoke|read|assign|store to|load from|throw|enter) .* because ` +
	`|NullPointerException|DB Exception on|[Ee]rror in your SQL syntax|Duplicate entry '|Deadlock found` +
	`|foreign key constraint|Unknown column '|Data truncat|Unable to (start|commit) .*transaction` +
	`|\b(java|javax|jakarta|sun|com\.mysql|com\.google\.gson|org\.(springframework|hibernate))(\.\w+)+(Exception|Error)\b` +
	`|\b(ClassCast|IndexOutOfBounds|ArrayIndexOutOfBounds|ConcurrentModification|IllegalState|NoSuchElement|` +
	`Arithmetic|UnsupportedOperation|SQL|EntityExists|StackOverflow|OutOfMemory)(Exception|Error)\b`)

// IsThrown says whether the refusal is none: the server's own code failed on a call that it had understood. The
// exceptions by which CloudStack says what a site lacks (com.cloud.exception) are refusals.
func IsThrown(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Thrown()
}

// Thrown is IsThrown of this refusal.
func (e *Error) Thrown() bool { return e != nil && thrown.MatchString(e.Text) }
