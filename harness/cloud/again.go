package cloud

import (
	"context"
	"errors"
)

// setUpTries is how often a set-up step is tried, all in all, each time on a new object.
const setUpTries = 3

// MayPass says whether a refusal is of the kind that a busy server gives and takes back: a job that failed inside (530:
// the router was late, a lock was not had), no capacity, nothing available just now. Refused parameters, rights and
// limits stay.
func MayPass(err error) bool {
	if _, unknown := errors.AsType[*OutcomeUnknown](err); unknown {
		return false // look for the object first
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.JobID == "" && e.Code == CodeInternal {
		return false // refused at once: it would be again
	}
	switch e.Code {
	case CodeInternal, CodeCapacity, CodeUnavailable, CodeAllocation:
		return true
	}
	return false
}

// SetUp makes a set-up step again, on a new object each time, while a busy server refuses it: three times in all. Each
// refusal is reported. It is for what a scenario needs, never for what it tests.
func SetUp(ctx context.Context, report func(try int, refusal error), step func(try int) error) error {
	for try := 1; ; try++ {
		err := step(try)
		if err == nil || try == setUpTries || !MayPass(err) || ctx.Err() != nil {
			return err
		}
		report(try, err)
		if stopped := sleep(ctx, jitter(try+3)); stopped != nil {
			return err
		}
	}
}
