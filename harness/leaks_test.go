package harness_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// leaking is a target on which something may stay.
type leaking struct {
	*harnesstest.FakeTarget
	found []string
	err   error
}

func (l leaking) WatchLeaks(context.Context) (func(context.Context) ([]string, error), error) {
	return func(context.Context) ([]string, error) { return l.found, l.err }, nil
}

func TestWhatIsLeftBehindFailsTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		found []string
		err   error
		want  result.Verdict
		exit  int
	}{
		"nothing":        {nil, nil, result.Pass, 0},
		"a VM":           {[]string{"vm sp1-x"}, nil, result.Fail, 1},
		"cannot be seen": {nil, errors.New("the API is gone"), result.Inconclusive, 3},
	} {
		t.Run(name, func(t *testing.T) {
			run, err := harness.Run(t.Context(), leaking{&harnesstest.FakeTarget{}, c.found, c.err},
				harness.Plan{Progress: harnesstest.Silent{},
					Scenarios: harness.Catalogue{{ID: "X-01", Run: harnesstest.Checked}}})
			require.NoError(t, err)
			require.Len(t, run.Results, 2)
			assert.Equal(t, harness.LeaksID, run.Results[1].ID)
			assert.Equal(t, c.want, run.Results[1].Verdict, run.Results[1].Reason)
			assert.Equal(t, c.exit, run.ExitCode(false))
			assert.Empty(t, run.Missing())
		})
	}
}
