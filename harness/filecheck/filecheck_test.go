package filecheck

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
)

// recorded is a file that a release wrote.
type recorded struct {
	Name         string `json:"case"`
	Release      string
	Command      json.RawMessage
	Exception    string
	SameOutputOn []string `json:"same_output_on"`
	Config       []string
	AddRules     []string `json:"add_rules"`
	RemoveRules  []string `json:"remove_rules"`
	StatRules    []string `json:"stat_rules"`
}

func (r recorded) file() []byte { return []byte(strings.Join(r.Config, "\n")) }

func recordings(t *testing.T) (all []recorded) {
	t.Helper()
	root := os.Getenv("STACKPROOF_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "conformance")
	}
	files, err := filepath.Glob(filepath.Join(root, "haproxy", "*.json"))
	require.NoError(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		var one recorded
		require.NoError(t, json.Unmarshal(data, &one), f)
		if one.Exception == "" {
			all = append(all, one)
		}
	}
	require.NotEmpty(t, all)
	return all
}

func of(t *testing.T, name string) Has {
	t.Helper()
	knobs, err := release.KnobsOf(name)
	require.NoError(t, err)
	return func(k release.Knob) bool { return knobs[k] }
}

// TestRecorded: what releases wrote is what their pushes order.
func TestRecorded(t *testing.T) {
	for _, r := range recordings(t) {
		for _, name := range append(r.SameOutputOn, r.Release) {
			t.Run(r.Name+"/"+name, func(t *testing.T) {
				wrong, err := File(r.Command, r.file(), of(t, name), nil)
				require.NoError(t, err)
				assert.Empty(t, wrong)
				wrong, err = Firewall(r.Command, Doors{r.AddRules, r.RemoveRules, r.StatRules})
				require.NoError(t, err)
				assert.Empty(t, wrong)
			})
		}
	}
}

// TestEveryLine: a recorded file with any line left out, doubled or changed is told of.
func TestEveryLine(t *testing.T) {
	const some = 6 // of the recordings
	for i, r := range recordings(t) {
		if i%some != 0 {
			continue
		}
		lines, has := strings.Split(string(r.file()), "\n"), of(t, r.Release)
		for i, line := range lines {
			if strings.TrimSpace(line) == "" {
				continue
			}
			if closing := strings.TrimSpace(line); closing == "no option httpclose" || closing == "option httpclose" {
				continue // may be that of another network (#14131)
			}
			for what, instead := range map[string][]string{"lost": nil, "doubled": {line, line},
				"changed": {line + "x"}} {
				changed := append(append(append([]string{}, lines[:i]...), instead...), lines[i+1:]...)
				wrong, err := File(r.Command, []byte(strings.Join(changed, "\n")), has, nil)
				require.NoError(t, err)
				assert.NotEmpty(t, wrong, "%s: line %d %q %s", r.Name, i+1, line, what)
			}
		}
	}
}

func TestFirewall(t *testing.T) {
	r := recordings(t)[0]
	for name, d := range map[string]Doors{"one is not opened": {nil, r.RemoveRules, r.StatRules},
		"one is closed":     {r.AddRules, append([]string{"192.0.2.9:1:"}, r.RemoveRules...), r.StatRules},
		"not for the pages": {r.AddRules, r.RemoveRules, []string{""}}} {
		t.Run(name, func(t *testing.T) {
			wrong, err := Firewall(r.Command, d)
			require.NoError(t, err)
			assert.Len(t, wrong, 1)
		})
	}
}

func TestUnreadable(t *testing.T) {
	_, err := File(json.RawMessage("["), nil, of(t, "4.20.0.0"), nil)
	require.Error(t, err)
	_, err = Firewall(json.RawMessage("["), Doors{})
	require.Error(t, err)
}
