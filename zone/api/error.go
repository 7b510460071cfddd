package api

import "fmt"

// Codes of CloudStack's API, as ApiErrorCode names them
// (api/src/main/java/org/apache/cloudstack/api/ApiErrorCode.java@4.20.0.0).
const (
	CodeUnauthorized     = 401
	CodeMethodNotAllowed = 405
	CodeMalformed        = 430
	CodeParameter        = 431
	CodeUnsupported      = 432
	CodeInternal         = 530
	CodeAccount          = 531
	CodeResourceLimit    = 532
	CodeCapacity         = 533
	CodeUnavailable      = 534
	CodeAllocation       = 535
	CodeInUse            = 536
	CodeNetworkConflict  = 537
	CSInvalidParameter   = 4350
	CSAPIException       = 9999
	CSCloudRuntime       = 4250
	CSPermissionDenied   = 4365
)

// Error is a refusal as the API answers it.
type Error struct {
	Code   int    // HTTP status and errorcode
	CSCode int    // cserrorcode
	Text   string // errortext
}

func (e *Error) Error() string { return fmt.Sprintf("%d (%d): %s", e.Code, e.CSCode, e.Text) }

// Invalid is a 431 raised by a manager (cserrorcode 4350).
func Invalid(format string, a ...any) *Error {
	return &Error{Code: CodeParameter, CSCode: CSInvalidParameter, Text: fmt.Sprintf(format, a...)}
}

// BadParameter is a 431 raised by the API layer itself (cserrorcode 9999): missing, malformed or unknown entity.
func BadParameter(format string, a ...any) *Error {
	return &Error{Code: CodeParameter, CSCode: CSAPIException, Text: fmt.Sprintf(format, a...)}
}

// Internal is a 530.
func Internal(format string, a ...any) *Error {
	return &Error{Code: CodeInternal, CSCode: CSCloudRuntime, Text: fmt.Sprintf(format, a...)}
}

// Conflict is a 537.
func Conflict(format string, a ...any) *Error {
	return &Error{Code: CodeNetworkConflict, CSCode: CSAPIException, Text: fmt.Sprintf(format, a...)}
}
