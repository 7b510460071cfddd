package stackprooftest

import (
	"context"
	"errors"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
)

// interrupted says that a signal ended a run of this process. It stays: the tests after it open nothing.
var interrupted atomic.Bool

// interruptible is a context that Ctrl-C ends, until stop is called. The interrupt is kept for the process.
func interruptible(parent context.Context) (_ context.Context, stop func()) {
	ctx, release := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	never := context.AfterFunc(ctx, func() { interrupted.Store(true) })
	return ctx, func() {
		if !never() { // it may be about to be noted
			interrupted.Store(true)
		}
		release()
	}
}

// heed keeps an interrupt for as long as a target is open: what Ctrl-C ends then is the tests, one by one, and each
// target is closed. A second interrupt ends the process.
func heed(t testing.TB) {
	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	never := context.AfterFunc(ctx, func() {
		interrupted.Store(true)
		release()
	})
	t.Cleanup(func() {
		if !never() { // it may be about to be noted
			interrupted.Store(true)
		}
		release()
	})
}

// refusal says why nothing is begun any more; nil as long as nobody interrupted a run.
func refusal() error {
	if interrupted.Load() {
		return errors.New("a run was interrupted before: nothing more is begun")
	}
	return nil
}

// refuse ends a test that comes after an interrupt, before it opens anything.
func refuse(t testing.TB) {
	t.Helper()
	if err := refusal(); err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
}
