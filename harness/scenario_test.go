package harness_test

import (
	"testing"

	"github.com/stackproof/stackproof/harness"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func threeScenarios() harness.Catalogue {
	return harness.Catalogue{{ID: "U-01"}, {ID: "U-02", Priority: 1}, {ID: "L-01"}}
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     []string
	}{
		{nil, []string{"U-01", "L-01"}},
		{[]string{"u-*"}, []string{"U-01", "U-02"}},
		{[]string{"L-01", "U-02"}, []string{"U-02", "L-01"}},
		{[]string{"*"}, []string{"U-01", "U-02", "L-01"}},
	} {
		got, err := threeScenarios().Select(c.patterns...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got.IDs(), "%v", c.patterns)
	}
}

func TestSelectNamesTheNearest(t *testing.T) {
	_, err := threeScenarios().Select("L-1")
	assert.ErrorContains(t, err, "did you mean L-01?")
	_, err = threeScenarios().Select("[")
	assert.Error(t, err)
}

func TestNearest(t *testing.T) {
	words := []string{"release", "repeat", "scenario"}
	assert.Equal(t, "release", harness.Nearest("relase", words))
	assert.Equal(t, "repeat", harness.Nearest("REPAET", words))
	assert.Empty(t, harness.Nearest("x", nil))
}
