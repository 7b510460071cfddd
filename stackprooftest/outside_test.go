package stackprooftest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/harnesstest"
)

var goVersion = regexp.MustCompile(`(?m)^go (\S+)$`)

const importPath = "github.com/stackproof/stackproof"

// outside is a module of somebody else that uses this one.
type outside struct {
	dir string
}

// newOutside makes a module with the program of docs/library.md, word by word.
func newOutside(t *testing.T) outside {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	o := outside{t.TempDir()}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	o.write(t, "go.mod", strings.Replace(string(mod), "module "+importPath, "module example.com/billing", 1))
	// Unlike a require with a replace, a workspace builds our packages as our own tests do: they are built once.
	o.write(t, "go.work", "go "+goVersion.FindStringSubmatch(string(mod))[1]+"\nuse (\n\t.\n\t"+root+"\n)\n")
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	o.write(t, "go.sum", string(sum))
	page, err := os.ReadFile(filepath.Join(root, "docs", "library.md"))
	require.NoError(t, err)
	programs := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	require.Len(t, programs, 1, "docs/library.md has one complete program")
	o.write(t, "billing_test.go", programs[0][1])
	return o
}

func (o outside) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600))
}

// ended is how tests ended, and what they said, by their names.
type ended struct {
	action, output map[string]string
	all            string
}

// test runs the module's tests.
func (o outside) test(t *testing.T, args ...string) ended {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-json", "-vet=off"}, args...)...)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-trimpath -buildvcs=false")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // failing tests are wanted; what each did is judged
	e := ended{action: map[string]string{}, output: map[string]string{}, all: out.String() + errs.String()}
	for line := range strings.Lines(out.String()) {
		var event struct{ Action, Test, Output string }
		require.NoError(t, json.Unmarshal([]byte(line), &event), e.all)
		switch event.Action {
		case "pass", "fail", "skip":
			e.action[event.Test] = event.Action
		case "output":
			e.output[event.Test] += event.Output
		}
	}
	return e
}

// TestFromOutside: the program of the documentation does what the page says, as a test of another module, and stories
// end as the page's table says.
func TestFromOutside(t *testing.T) {
	harnesstest.NeedLab(t)
	o := newOutside(t)
	verdicts, err := os.ReadFile(filepath.Join("testdata", "verdicts_test.go.txt"))
	require.NoError(t, err)
	o.write(t, "verdicts_test.go", string(verdicts))
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	e := o.test(t, "./...")

	for name, want := range map[string]string{
		"TestUsage": "pass", "TestUsage/lab-4.20.0.0": "pass", "TestUsage/lab-4.20.0.0/U-01": "skip",
		"TestUsage/lab-4.20.0.0/L-01": "pass", "TestOwnStory/lab-4.20.3.0/MY-01": "pass",
		"TestKnob/lab-4.20.1.0/U-01":      "fail",
		"TestVerdicts/fake-4.20.0.0/PASS": "pass", "TestVerdicts/fake-4.20.0.0/FAIL": "fail",
		"TestVerdicts/fake-4.20.0.0/KNOWN": "skip", "TestVerdicts/fake-4.20.0.0/NEWS": "fail",
		"TestVerdicts/fake-4.20.0.0/FIXED": "pass", "TestVerdicts/fake-4.20.0.0/EMPTY": "fail",
		"TestVerdicts/fake-4.20.0.0/NEVER": "skip", "TestVerdicts/fake-4.20.0.0/LACKS": "skip",
		"TestStrict/fake-4.20.0.0/PASS": "pass", "TestStrict/fake-4.20.0.0/KNOWN": "fail",
		"TestStrict/fake-4.20.0.0/FIXED": "fail", "TestStrict/fake-4.20.0.0/NEVER": "skip",
		"TestNothingShown/fake-4.20.0.0/LACKS": "skip", "TestNothingShown/fake-4.20.0.0": "fail",
		"TestNothingAsked": "fail", "TestTwice": "fail", "TestNeedless": "fail", "TestWrongPattern": "fail",
		"TestWrongRelease": "fail", "TestWrongKnob": "fail",
	} {
		assert.Equal(t, want, e.action[name], "%s\n%s", name, e.output[name])
	}
	for name, want := range map[string]string{
		"TestUsage/lab-4.20.0.0/U-01":      "U-01 fail (known): LB rule B was deleted at ",
		"TestKnob/lab-4.20.1.0/U-01":       "U-01 fail: LB rule B was deleted at ",
		"TestVerdicts/fake-4.20.0.0/KNOWN": "Known: #1: rows stay open",
		"TestVerdicts/fake-4.20.0.0/FAIL":  "FAIL fail: rule B is still billed",
		"TestVerdicts/fake-4.20.0.0/NEWS":  "rule A is not billed",
		"TestVerdicts/fake-4.20.0.0/FIXED": "is known to fail it",
		"TestVerdicts/fake-4.20.0.0/EMPTY": "EMPTY inconclusive: the scenario checked nothing",
		"TestVerdicts/fake-4.20.0.0/LACKS": "needs data-plane: no router",
		"TestNothingShown/fake-4.20.0.0":   "every scenario is unsupported",
		"TestNothingAsked":                 "no scenario was given",
		"TestTwice":                        "scenario PASS is there twice",
		"TestNeedless":                     "says nothing of what it Needs",
		"TestWrongPattern":                 `no scenario matches "U-1x"; did you mean U-1`,
		"TestWrongRelease":                 "4.20.9.9",
		"TestWrongKnob":                    "usage-close-by-helper",
	} {
		assert.Contains(t, e.output[name], want, name)
	}
	left, err := filepath.Glob(filepath.Join(temp, "stackproof-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "folders of databases and routers")

	chosen := o.test(t, "-run", "TestUsage/lab-4.20.0.0/L-01", "./...")
	assert.Equal(t, "pass", chosen.action["TestUsage/lab-4.20.0.0/L-01"], chosen.all)
	assert.NotContains(t, chosen.action, "TestUsage/lab-4.20.0.0/U-01", "it was not chosen")
}

// TestWithoutMain: a package that forgot TestMain is told so, before anything is started.
func TestWithoutMain(t *testing.T) {
	o := newOutside(t)
	program, err := os.ReadFile(filepath.Join(o.dir, "billing_test.go"))
	require.NoError(t, err)
	without := strings.Replace(string(program), "func TestMain(m *testing.M) { stackprooftest.Main(m) }", "", 1)
	require.NotEqual(t, string(program), without)
	o.write(t, "billing_test.go", without)
	e := o.test(t, "-run", "TestUsage", "./...")
	assert.Equal(t, "fail", e.action["TestUsage"], e.all)
	assert.Contains(t, e.output["TestUsage"], "needs func TestMain(m *testing.M) { stackprooftest.Main(m) }")
}
