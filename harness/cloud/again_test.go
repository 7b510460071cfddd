package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Set-up steps that a busy server refuses are made again, a bounded number of times, and each refusal is reported.
func TestSetUpIsTriedAgain(t *testing.T) {
	late := &cloud.Error{Command: "createVPC", JobID: "j", Code: 530, Text: "Failed to start the router"}
	for name, c := range map[string]struct {
		err   error
		tries int
	}{
		"a job that failed inside":      {late, 3},
		"wrapped":                       {fmt.Errorf("VPC: %w", late), 3},
		"no capacity":                   {&cloud.Error{Code: 533}, 3},
		"a parameter":                   {&cloud.Error{Code: 431, JobID: "j"}, 1},
		"a limit":                       {&cloud.Error{Code: 532, JobID: "j"}, 1},
		"refused at once":               {&cloud.Error{Code: 530, Took: time.Second}, 1},
		"refused after a long wait":     {&cloud.Error{Code: 530, Took: 50 * time.Second}, 3},
		"nobody knows what came of it":  {&cloud.OutcomeUnknown{Command: "createVPC", JobID: "j", Err: late}, 1},
		"something else than a refusal": {errors.New("no route"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var reported []int
			tries := 0
			err := cloud.SetUp(t.Context(), func(try int, refusal error) {
				require.ErrorIs(t, refusal, c.err)
				reported = append(reported, try)
			}, func(try int) error { tries++; assert.Equal(t, tries, try); return c.err })
			require.ErrorIs(t, err, c.err)
			assert.Equal(t, c.tries, tries)
			assert.Len(t, reported, c.tries-1)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, cloud.SetUp(ctx, nil, func(int) error { return late }), late, "not after the run has ended")
	require.NoError(t, cloud.SetUp(t.Context(), func(int, error) {}, func(try int) error {
		if try == 1 {
			return late
		}
		return nil
	}))
}
