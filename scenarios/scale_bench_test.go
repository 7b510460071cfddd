package scenarios_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testcpu"
	"github.com/stackproof/stackproof/scenarios"
)

// BenchmarkStoryGroups is story B as a whole, with many autoscale groups on one router: zone, pushes, HAProxy, members
// and clients. A tier has addresses for 126 groups of two members. Each group is made by a push of all that there are,
// so the pushes grow as the square of their number.
func BenchmarkStoryGroups(b *testing.B) {
	needLab(b)
	for _, n := range []int{30, 60, 120} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			testcpu.Loop(b, func() {
				chosen, err := scenarios.Catalogue().Select("L-04")
				require.NoError(b, err)
				target, err := lab.New(lab.Options{Release: "4.20.1.0", Workers: 1, Groups: []int{n}})
				require.NoError(b, err)
				got, err := harness.Run(b.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
					Progress: silent{}})
				require.NoError(b, errors.Join(err, target.Close(b.Context())))
				require.Equal(b, result.Pass, got.Results[0].Verdict, got.Results[0].Reason)
			})
		})
	}
}
