//go:build linux

package reexec

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

const told = "stackproof-reexec-told"

func TestMain(m *testing.M) {
	if Role() == told {
		fmt.Print(strings.Join(os.Args[1:], " "), len(os.Environ()))
		os.Exit(0)
	}
	goleak.VerifyTestMain(testhome.Around(m))
}

// TestCommand: another process of this program has its role, its words, and nothing of our environment.
func TestCommand(t *testing.T) {
	require.NotEmpty(t, os.Environ())
	said, err := Command(t.Context(), 0, told, "two", "words").Output()
	require.NoError(t, err)
	assert.Equal(t, "two words0", string(said))
}

// TestBecomeSaysWhatIsMissing: who cannot become a program goes on, and says why.
func TestBecomeSaysWhatIsMissing(t *testing.T) {
	assert.ErrorContains(t, Become("/nothing/here", nil, nil), "becoming /nothing/here: no such file")
}
