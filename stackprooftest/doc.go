// Package stackprooftest tells stackproof's scenarios from a go test of one's own module. It opens a target (Lab,
// Existing), runs scenarios of the catalogue (Target.Run) or stories of one's own (Target.Tell), and makes each of them
// a subtest. Everything that was started or created is gone when the test ends.
//
// What a subtest ends with:
//
//	pass                     the scenario passed, with its control
//	FAIL                     it failed, or it could not be decided: inconclusive is never green
//	SKIP "fail (known)"      it failed as the release is known to; with Strict it is a FAIL
//	SKIP "unsupported"       the target lacks what it needs; a FAIL of the whole where nothing else is left
//	SKIP "inconclusive"      only where the scenario says itself that it never decides
//
// The package of the tests needs one line more, because routers are started as children of the test program, and
// because a user who is not root gets a user namespace:
//
//	func TestMain(m *testing.M) { stackprooftest.Main(m) }
//
// It is a package of its own, not a part of harness: the runner knows neither package testing nor a target by name, and
// the command must not carry the flags of go test.
package stackprooftest

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
)

// What a story of one's own is made of, so that one import is enough.
type (
	// Scenario is a named story. ID, Title, Needs and Run must be set.
	Scenario = harness.Scenario
	// T is the language in which a story is told.
	T = story.T
	// Capability is something that a target can show.
	Capability = harness.Capability
	// Case is the result of a scenario.
	Case = result.Case
)

// Story is a story as a Scenario takes it.
func Story(tell func(*T)) harness.Tell { return story.Of(tell) }

// UsageNeeds are the needs of a story that looks at usage rows.
func UsageNeeds() []Capability { return []Capability{harness.API, harness.UsageDB, harness.UsageRun} }

// RouterNeeds are the needs of a story that looks at routers and at what their clients see.
func RouterNeeds() []Capability {
	return []Capability{harness.API, harness.PushLog, harness.RouterFiles, harness.DataPlane}
}
