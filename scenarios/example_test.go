package scenarios_test

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/scenarios"
)

// U-01 on a lab of 4.20.0.0, which leaves the usage row of a deleted rule open. A program's main must call
// router.MaybeChild first, since routers are children of it.
func Example() {
	ctx := context.Background()
	target, err := lab.New(lab.Options{Release: "4.20.0.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = target.Close(ctx) }()
	chosen, err := scenarios.Catalogue().Select("U-01")
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := harness.Run(ctx, target, harness.Plan{Scenarios: chosen, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := run.Results[0]
	fmt.Println(c.ID, c.Verdict, "known:", c.Known)
	fmt.Println(c.Findings[0].Class)
	// Output:
	// U-01 fail known: true
	// leaked-row
}
