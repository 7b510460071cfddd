package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/result"
)

// TestProgressSaysWhy shows a run where there is no terminal: why a scenario is undecided, and what all wait for, once.
func TestProgressSaysWhy(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, 3, 1)
	for _, id := range []string{"U-01", "U-02"} {
		p.Scenario(id, "a title", 1)
		p.Step(id, "usage run: 1 of 2 wait, for U-02")
		p.Step(id, "usage run for 2: waits for 12:01:01, when the window is over")
	}
	p.Finished(result.Case{ID: "U-01", Title: "a title", Verdict: result.Inconclusive, Reason: "no usage run came"})
	p.Finished(result.Case{ID: "U-02", Title: "a title", Verdict: result.Fail, Reason: "told below"})
	p.close()
	assert.Equal(t, "usage run for 2: waits for 12:01:01, when the window is over\n"+
		"U-01   inconclusive      0.0s  a title: no usage run came\nU-02   fail              0.0s  a title\n", out.String())
}
