package findings

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// TestPagesAreWhole: each page has what a reader upstream asks for, and the list names it.
func TestPagesAreWhole(t *testing.T) {
	all, err := Pages()
	require.NoError(t, err)
	list, err := os.ReadFile(index)
	require.NoError(t, err)
	assert.Equal(t, len(all), strings.Count(string(list), ".md)"), "the list names each page once")
	shown := 0
	for _, p := range all {
		text, err := os.ReadFile(p.File)
		require.NoError(t, err)
		assert.NotEmpty(t, p.Title, p.File)
		assert.Contains(t, string(list), "| "+p.Title+" | ["+strings.TrimSuffix(p.File, ".md")+"]("+p.File+") |")
		for _, heading := range []string{"What people see", "Releases", "Shortest sequence of API calls", "Evidence",
			"Cause", "Shown by stackproof", "Upstream"} {
			assert.NotEmpty(t, Section(string(text), heading), "%s: %s", p.File, heading)
		}
		shown += len(p.Scenarios)
	}
	assert.Greater(t, shown, 10, "pages name scenarios")
}

func TestRead(t *testing.T) {
	p := read("a.md", "# A title\n\n## Releases\n\nall\n\n## Shown by stackproof\n\n`run --scenario L-45`, and "+
		"Scenario U-01; L-02 fails too. --scenario L-45\n\n## Upstream\n\n--scenario L-09\n")
	assert.Equal(t, Page{File: "a.md", Title: "A title", Releases: "all", Scenarios: []string{"L-45", "U-01"}}, p)
	assert.Empty(t, Section("# A title\n", "Releases"))
}
