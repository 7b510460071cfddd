package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stackproof/stackproof/harness"
)

// patience is how long after the first signal another one still belongs to it. GNU timeout and some supervisors signal
// the process and then its group, so one wish arrives as two signals within a millisecond. Nobody presses Ctrl-C twice
// within a second and means two things.
const patience = time.Second

// interruptible is a context that the first signal ends, with harness.ErrInterrupted as its cause. A signal that comes
// patience or more after the first ends the program at once, as if it had never been caught.
func interruptible(errs io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go heed(signals, done,
		func(os.Signal) {
			fmt.Fprintln(errs, "stackproof: interrupted: what was started is ended and removed now. Another signal "+
				"after a second or more "+
				"ends the program at once; stackproof cleanup then removes the rest.")
			cancel(harness.ErrInterrupted)
		},
		func(s os.Signal) { dieOf(s, signals) })
	return ctx, func() {
		if ctx.Err() == nil { // after a signal its twin may still come: it does not change how the program ends
			signal.Stop(signals)
		}
		close(done)
		cancel(nil)
	}
}

// heed calls first for the first signal and again for one that comes patience or more later. It returns after that, or
// when done is closed.
func heed(signals <-chan os.Signal, done <-chan struct{}, first, again func(os.Signal)) {
	var began time.Time
	for {
		select {
		case s := <-signals:
			switch {
			case began.IsZero():
				began = time.Now()
				first(s)
			case time.Since(began) >= patience:
				again(s)
				return
			}
		case <-done:
			return
		}
	}
}

// dieOf ends the program as the signal does by default, so that whoever started it sees what ended it.
func dieOf(s os.Signal, caught chan<- os.Signal) {
	signal.Stop(caught)
	signal.Reset(s)
	number, ok := s.(syscall.Signal)
	if !ok || syscall.Kill(os.Getpid(), number) != nil {
		os.Exit(exitCannotRun)
	}
}
