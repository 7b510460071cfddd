package harness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// LeakWatcher is a target that outlives the run, and on which nothing may be left behind.
type LeakWatcher interface {
	// WatchLeaks takes the inventory; what it returns names what the run left behind since then.
	WatchLeaks(ctx context.Context) (leaks func(context.Context) ([]string, error), err error)
}

// LeaksID is the id of the case that says whether a run left something behind.
const LeaksID = "leaks"

// leakTime bounds the inventory at the end, which is also taken after an interrupt.
const leakTime = 2 * time.Minute

// watchLeaks begins the leak check; the function that it returns makes its case. Both are nil for a target that ends with the
// run.
func watchLeaks(ctx context.Context, target Target) (func(context.Context) result.Case, error) {
	w, ok := target.(LeakWatcher)
	if !ok {
		return nil, nil
	}
	began := time.Now()
	leaks, err := w.WatchLeaks(ctx)
	if err != nil {
		return nil, fmt.Errorf("taking the inventory: %w", err)
	}
	if leaks == nil {
		return nil, nil
	}
	before := time.Since(began)
	return func(ctx context.Context) result.Case {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leakTime)
		defer cancel()
		began := time.Now()
		found, err := leaks(ctx)
		c := result.Case{ID: LeaksID, Title: "nothing is left behind", Verdict: result.Pass, Repeats: 1,
			Seconds: (before + time.Since(began)).Seconds()}
		switch {
		case err != nil:
			c.Verdict, c.Inconclusives, c.Reason = result.Inconclusive, 1, fmt.Sprintf("taking the inventory after the run: %v", err)
		case len(found) > 0:
			c.Verdict, c.Failures = result.Fail, 1
			c.Reason = fmt.Sprintf("%d objects were left behind (stackproof cleanup removes them): %s", len(found), found[0])
			c.Evidence = []result.Evidence{{Kind: result.KindNote, Title: "left behind", Text: strings.Join(found, "\n")}}
		}
		return c
	}, nil
}
