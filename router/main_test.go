package router

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) {
	MaybeChild()
	maybeMoved()
	goleak.VerifyTestMain(testhome.Around(m))
}

// conformance is the folder of the recordings; STACKPROOF_CONFORMANCE names another of the same form.
func conformance(parts ...string) string {
	root := os.Getenv("STACKPROOF_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "testdata", "conformance")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// recordedCase is one file of the recordings' haproxy folder.
type recordedCase struct {
	Name         string `json:"case"`
	Release      string `json:"release"`
	Command      json.RawMessage
	Exception    string
	SameOutputOn []string `json:"same_output_on"`
	HAProxyCheck struct {
		OK bool `json:"ok"`
	} `json:"haproxy_check"`
	Rendered
}

func recordedCases(tb testing.TB) []recordedCase {
	tb.Helper()
	files, err := filepath.Glob(conformance("haproxy", "*.json"))
	require.NoError(tb, err)
	require.NotEmpty(tb, files, "no recorded case in %s", conformance("haproxy"))
	var cases []recordedCase
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(tb, err)
		var c recordedCase
		require.NoError(tb, json.Unmarshal(data, &c), f)
		cases = append(cases, c)
	}
	return cases
}

func recordedPush(tb testing.TB, name string) Push {
	tb.Helper()
	data, err := os.ReadFile(conformance("haproxy", name+".json"))
	require.NoError(tb, err)
	var c recordedCase
	require.NoError(tb, json.Unmarshal(data, &c))
	p, err := ParsePush(c.Command)
	require.NoError(tb, err)
	return p
}
