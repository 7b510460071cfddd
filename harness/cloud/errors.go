package cloud

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Codes of CloudStack's API (api/src/main/java/org/apache/cloudstack/api/ApiErrorCode.java@4.20.0.0).
const (
	CodeUnauthorized    = 401 // wrong keys, signature or session; also an unknown command when the call is signed
	CodeThrottled       = 429
	CodeMalformed       = 430
	CodeParameter       = 431 // bad or missing parameter; also an entity that does not exist
	CodeUnsupported     = 432 // unknown command, or not allowed for the role
	CodeInternal        = 530
	CodeAccount         = 531 // no permission, failed login
	CodeLimit           = 532
	CodeCapacity        = 533
	CodeUnavailable     = 534
	CodeAllocation      = 535
	CodeInUse           = 536
	CodeNetworkConflict = 537
)

// Error is a refusal that CloudStack answered: the call arrived, was understood, and was turned down (or its job
// failed).
type Error struct {
	Command string
	// JobID is set when the call was accepted and its job failed.
	JobID string
	// Status is the HTTP status; 200 for a failed job.
	Status int
	// Code is errorcode, CSCode is cserrorcode (4350 invalid parameter, 4250 runtime, 9999 API exception; 0 when
	// absent).
	Code   int
	CSCode int
	Text   string
	// Took is how long the server worked before it refused; 0 for a failed job.
	Took time.Duration

	retryAfter time.Duration
}

func (e *Error) Error() string {
	what := e.Command
	if e.JobID != "" {
		what += " (job " + e.JobID + ")"
	}
	code := fmt.Sprint(e.Code)
	if e.CSCode != 0 {
		code += fmt.Sprintf("/%d", e.CSCode)
	}
	return fmt.Sprintf("%s: refused with %s: %s", what, code, e.Text)
}

// Code is the API error code of err, or 0 when err is no refusal of CloudStack.
func Code(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}

// IsRefused says whether CloudStack understood the call and turned it down: nothing was left half sent.
func IsRefused(err error) bool { return Code(err) != 0 }

// NothingMade says that a create was turned down before anything was made, or that it was never sent. A job that failed
// may have left an object behind, and a lost answer says nothing.
func NothingMade(err error) bool {
	if _, unknown := errors.AsType[*OutcomeUnknown](err); unknown {
		return false
	}
	if t, ok := errors.AsType[*transportError](err); ok {
		return !t.sent
	}
	if _, ok := errors.AsType[*NotReady](err); ok {
		return true
	}
	e, ok := errors.AsType[*Error](err)
	return ok && e.JobID == ""
}

// AnswerLost says that a change was sent and nothing is known of it, not even a job.
func AnswerLost(err error) bool {
	unknown, ok := errors.AsType[*OutcomeUnknown](err)
	return ok && unknown.JobID == ""
}

// IsNotFound says whether the refusal is about an entity that does not exist. CloudStack has no code for it: it answers
// 431 (or 530 out of a job) with one of a few texts.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || (e.Code != CodeParameter && e.Code != CodeInternal) {
		return false
	}
	text := strings.ToLower(e.Text)
	for _, words := range []string{"does not exist", "doesn't exist", "unable to find", "could not find", "can't find",
		"cannot find", "not found"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// IsUnauthorized says whether keys, signature or session were not accepted.
func IsUnauthorized(err error) bool { return Code(err) == CodeUnauthorized }

// IsInvalid says whether a parameter was refused; an entity that does not exist is one of these too.
func IsInvalid(err error) bool { return Code(err) == CodeParameter }

// IsUnsupported says whether the command is unknown or not allowed for the caller's role.
func IsUnsupported(err error) bool { return Code(err) == CodeUnsupported }

// IsDenied says whether the account may not do this.
func IsDenied(err error) bool { return Code(err) == CodeAccount }

// NotReady says that something answered, but not the API: the management server is starting, a proxy is in the way, or
// the URL is another server's. The call was not carried out.
type NotReady struct {
	Command     string
	Status      int
	ContentType string
	// Saw is the beginning of the answer, on one line.
	Saw string
}

func (e *NotReady) Error() string {
	return fmt.Sprintf("%s: the answer is not the API's (HTTP %d %s, %q): the management server is still starting, "+
		"or the URL is not its /client/api",
		e.Command, e.Status, orWord(e.ContentType, "without content type"), e.Saw)
}

// OutcomeUnknown says that a change was sent and no usable answer came: it may or may not have happened.
type OutcomeUnknown struct {
	Command string
	// JobID is set when the call was accepted and the job's end could not be seen.
	JobID string
	// Late says that no answer came within the deadline: the server may still be at it.
	Late bool
	Err  error
}

func (e *OutcomeUnknown) Error() string {
	if e.JobID != "" {
		return fmt.Sprintf("%s: outcome unknown: job %s was accepted but its end was not seen: %v", e.Command, e.JobID,
			e.Err)
	}
	return fmt.Sprintf("%s: outcome unknown: it was sent and its answer was lost (%v): look whether it happened "+
		"before doing it again", e.Command, e.Err)
}

func (e *OutcomeUnknown) Unwrap() error { return e.Err }

// transportError is an exchange that gave no complete answer.
type transportError struct {
	command string
	// sent is false when it is certain that no byte of the request reached the server.
	sent bool
	// late says that no answer came within the deadline: the server may still be at it.
	late bool
	err  error
}

func (e *transportError) Error() string { return fmt.Sprintf("%s: %v", e.command, e.err) }
func (e *transportError) Unwrap() error { return e.err }

// gatewayError is a 5xx of something between us and CloudStack.
type gatewayError struct {
	command string
	status  int
	saw     string
}

func (e *gatewayError) Error() string {
	return fmt.Sprintf("%s: HTTP %d %s: %q", e.command, e.status, http.StatusText(e.status), e.saw)
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// IsUntrusted says whether the server's certificate was not trusted, so that no call was made.
func IsUntrusted(err error) bool {
	var refused *tls.CertificateVerificationError
	return errors.As(err, &refused)
}

// thrown are the words by which an answer shows that code of the server threw what nobody there expected: the texts of
// Java's own exceptions, of a database's errors, and names of exception classes (confirmed.md 36).
var thrown = regexp.MustCompile(`Cannot (invoke|read|assign|store to|load from|throw|enter) .* because ` +
	`|NullPointerException|DB Exception on|[Ee]rror in your SQL syntax|Duplicate entry '|Deadlock found` +
	`|foreign key constraint|Unknown column '|Data truncat|Unable to (start|commit) .*transaction` +
	`|\b(java|javax|jakarta|sun|com\.mysql|com\.google\.gson|org\.(springframework|hibernate))` +
	`(\.\w+)+(Exception|Error)\b` +
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
