package answers

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/release"
)

// RequireDone makes sure that other changes come through: what always fails shows nothing.
func (t Answers) RequireDone(when string, all ...objects.Other) {
	for _, o := range all {
		if refusal := o.Try(); refusal != nil {
			t.Inconclusive("%s fails %s: %v", o, when, refusal)
		}
	}
}

// ExpectDone expects that other changes come through after a balancing change that failed.
func (t Answers) ExpectDone(all ...objects.Other) {
	for _, o := range all {
		t.Checked(1)
		if refusal := o.Try(); refusal != nil {
			t.Fail(result.RouterBlocked, fmt.Sprintf("%s fails after a stickiness policy that the router refused: %v",
				o, refusal))
		}
	}
}

// RequireRefused makes sure that a router that checks its files refused one, where routers check.
func (t Answers) RequireRefused(refusal *cloud.Error) {
	if refusal == nil && t.site.Has(release.RouterVerifies) {
		t.Unsupported("a policy that HAProxy refuses was taken: what the target's router refuses does not come back " +
			"to the server")
	}
}
