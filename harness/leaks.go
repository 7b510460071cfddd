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

// leakWatch looks at the end of a run what was left behind.
type leakWatch struct {
	leaks func(context.Context) ([]string, error)
	began time.Duration // what taking the inventory took
}

// watchLeaks takes the inventory. It is nil for a target that ends with the run.
func watchLeaks(ctx context.Context, target Target) (*leakWatch, error) {
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
	return &leakWatch{leaks, time.Since(began)}, nil
}

// leakCase says what the run left behind. Remains are the removals that went wrong: without an inventory they decide,
// with one they explain what it finds. It is nil where nothing is watched and nothing went wrong.
func leakCase(ctx context.Context, w *leakWatch, remains []string) *result.Case {
	c := &result.Case{ID: LeaksID, Title: "nothing is left behind", Verdict: result.Pass, Repeats: 1}
	if len(remains) > 0 {
		c.Evidence = append(c.Evidence, result.Evidence{Kind: result.KindNote, Title: "removals that went wrong",
			Text: strings.Join(remains, "\n")})
	}
	if w == nil {
		if len(remains) == 0 {
			return nil
		}
		c.Verdict, c.Inconclusives, c.Reason = result.Inconclusive, 1,
			fmt.Sprintf("%d removals went wrong, the first: %s", len(remains), remains[0])
		return c
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leakTime)
	defer cancel()
	began := time.Now()
	found, err := w.leaks(ctx)
	c.Seconds = (w.began + time.Since(began)).Seconds()
	switch {
	case err != nil:
		c.Verdict, c.Inconclusives, c.Reason = result.Inconclusive, 1,
			fmt.Sprintf("taking the inventory after the run: %v", err)
	case len(found) > 0:
		c.Verdict, c.Failures = result.Fail, 1
		c.Reason = fmt.Sprintf("%d objects were left behind (stackproof cleanup removes them): %s", len(found),
			found[0])
		c.Evidence = append(c.Evidence, result.Evidence{Kind: result.KindNote, Title: "left behind",
			Text: strings.Join(found, "\n")})
	}
	return c
}
