package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

// completed are the words, without their descriptions, that a shell would offer after a command line.
func completed(t *testing.T, args ...string) []string {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append([]string{"__complete"}, args...))
	require.NoError(t, root.ExecuteContext(t.Context()), errs.String())
	var words []string
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if word != "" && !strings.HasPrefix(word, ":") {
			words = append(words, word)
		}
	}
	return words
}

func TestCompletionKnowsWords(t *testing.T) {
	var knobs []string
	for _, k := range fault.AllKnobs() {
		knobs = append(knobs, string(k.Name))
	}
	assert.Equal(t, release.All(), completed(t, "run", "--release", ""))
	assert.Equal(t, scenarios.Catalogue().IDs(), completed(t, "run", "--scenario", ""))
	assert.Equal(t, scenarios.Catalogue().IDs(), completed(t, "prove", "--scenario", ""))
	assert.Equal(t, knobs, completed(t, "run", "--knob", ""))
	knob := string(release.UsageCloseByHelperID)
	assert.Contains(t, completed(t, "run", "--knob", knob), knob+"=off")
	assert.Contains(t, completed(t, "help", "run", ""), "existing", "a group of flags")
	assert.Contains(t, completed(t, "help", ""), "configuration")
	assert.Contains(t, completed(t, ""), "probe")
	assert.Equal(t, []string{"on-demand", "schedule"}, completed(t, "run", "--usage", ""))
}

// TestCompletionKnowsTargets: those of the file are offered, wherever the file is named, and a file that cannot be read
// takes nothing away.
func TestCompletionKnowsTargets(t *testing.T) {
	t.Chdir(t.TempDir())
	always := []string{"lab", "container", "existing"}
	assert.Equal(t, always, completed(t, "run", "--target", ""))
	mine := "targets:\n  staging:\n    api: {url: http://127.0.0.1:1/client/api}\n"
	require.NoError(t, os.WriteFile("mine.yaml", []byte(mine), 0o600))
	assert.Equal(t, append(always, "staging"), completed(t, "run", "--config", "mine.yaml", "--target", ""))
	t.Setenv("STACKPROOF_CONFIG", "mine.yaml")
	assert.Equal(t, append(always, "staging"), completed(t, "doctor", "--target", ""))
	assert.Equal(t, []string{"existing", "staging"}, completed(t, "zone", "deploy", "--target", ""))
	assert.Equal(t, []string{"existing", "staging"}, completed(t, "cleanup", "--target", ""))
	assert.Equal(t, []string{"staging"}, completed(t, "audit", "--target", ""), "an audit has no lab")
	require.NoError(t, os.WriteFile("mine.yaml", []byte("targets: ["), 0o600))
	assert.Equal(t, always, completed(t, "run", "--target", ""))
}

// TestCompletionInBash has a real bash load the script, and asks it what Tab would offer.
func TestCompletionInBash(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "stackproof")))
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", `
# What the package bash-completion gives, as far as the script needs it.
_get_comp_words_by_ref() {
  cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cword=$COMP_CWORD words=("${COMP_WORDS[@]}")
}
__ltrim_colon_completions() { :; }
compopt() { :; }
source <(stackproof completion bash) || exit
COMP_WORDS=(stackproof run --release 4.22) COMP_CWORD=3 COMP_LINE="stackproof run --release 4.22" COMP_TYPE=9
COMP_POINT=${#COMP_LINE}
__start_stackproof
printf '%s\n' "${COMPREPLY[@]}"`)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var want []string
	for _, name := range release.All() {
		if strings.HasPrefix(name, "4.22") {
			want = append(want, name)
		}
	}
	require.NotEmpty(t, want)
	assert.Equal(t, want, strings.Fields(string(out)))
}

// TestCompletionScripts: each shell has a script, which asks the program.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out, errs bytes.Buffer
		require.Equal(t, exitOK, run([]string{"completion", shell}, nil, &out, &errs), errs.String())
		assert.Contains(t, out.String(), "__complete", shell)
	}
	for want, args := range map[string][]string{"needs one of: bash, zsh, fish": {"completion"},
		`did you mean "bash"`: {"completion", "bahs"}} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, run(args, nil, &out, &errs))
		assert.Contains(t, errs.String(), want)
	}
}

// TestMan: there is a page of every command, with its flags, and groff has nothing to say against one.
func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, run([]string{"man", dir}, nil, &out, &errs), errs.String())
	root := newRoot()
	pages := 0
	visit(root, func(c *cobra.Command) {
		if !c.IsAvailableCommand() && c != root {
			return
		}
		pages++
		file := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(text), ".SH SYNOPSIS", file)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			assert.Regexp(t, `--`+regexp.QuoteMeta(f.Name)+`(?:[^-\w]|$)`, strings.ReplaceAll(string(text), `\-`, "-"), file)
		})
	})
	assert.Greater(t, pages, 20)
	assert.Equal(t, exitUsage, run([]string{"man"}, nil, &out, &errs))
	taken := filepath.Join(dir, "stackproof.1")
	assert.Equal(t, exitCannotRun, run([]string{"man", taken}, nil, &out, &errs), "a file is no folder")

	files, err := filepath.Glob(filepath.Join(dir, "*.1"))
	require.NoError(t, err)
	words := append([]string{"-man", "-t", "-Tutf8", "-ww", "-z"}, files...)
	lint := exec.CommandContext(t.Context(), "groff", words...)
	said, err := lint.CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Empty(t, string(said))
}
