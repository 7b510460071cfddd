package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/stackproof/stackproof/harness/existing/config"
)

// documented is one command line of stackproof in a document.
type documented struct {
	file string
	args []string
	want int // exit status, where the line's comment says one
}

// documents are the pages for people, README first.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md",
		"docs/findings/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		require.NoError(t, err)
		all = append(all, found...)
	}
	require.Greater(t, len(all), 8)
	return all
}

// blocks are the fenced blocks of a language in a document.
func blocks(t *testing.T, file, language string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []string
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text),
		-1) {
		all = append(all, found[1])
	}
	return all
}

var exitComment = regexp.MustCompile(`exit(?: status)? (\d)`)

// commandsOf are the stackproof commands of the shell blocks of a document.
func commandsOf(t *testing.T, file string) []documented {
	t.Helper()
	var all []documented
	for _, block := range blocks(t, file, "sh") {
		parsed, err := syntax.NewParser(syntax.KeepComments(true)).Parse(strings.NewReader(block), file)
		require.NoError(t, err, "%s: not shell:\n%s", file, block)
		syntax.Walk(parsed, func(n syntax.Node) bool {
			statement, ok := n.(*syntax.Stmt)
			if !ok {
				return true
			}
			call, ok := statement.Cmd.(*syntax.CallExpr)
			if !ok {
				return true
			}
			var words []string
			for _, w := range call.Args {
				word, err := expand.Literal(nil, w)
				require.NoError(t, err)
				words = append(words, word)
			}
			for len(words) > 0 && (words[0] == "sudo" || words[0] == "-E") {
				words = words[1:]
			}
			if len(words) > 0 && filepath.Base(words[0]) == "stackproof" {
				one := documented{file: filepath.Base(file), args: words[1:]}
				for _, c := range statement.Comments {
					if m := exitComment.FindStringSubmatch(c.Text); m != nil {
						one.want, _ = strconv.Atoi(m[1]) // the expression allows a digit only
					}
				}
				all = append(all, one)
			}
			return true
		})
	}
	return all
}

// TestDocumentedCommands: the verb and the flags of each command in a document exist. Those that need nothing but this
// machine are run, and end with the status that the document says.
func TestDocumentedCommands(t *testing.T) {
	needLab(t)
	seen := map[string]bool{}
	parsed, ran := 0, 0
	for _, file := range documents(t) {
		for _, one := range commandsOf(t, file) {
			root := newRoot()
			c, rest, err := root.Find(one.args)
			require.NoError(t, err, "%s: stackproof %s", one.file, strings.Join(one.args, " "))
			require.NotSame(t, root, c, "%s: stackproof %s: no such verb", one.file, strings.Join(one.args, " "))
			require.NoError(t, c.ParseFlags(rest), "%s: stackproof %s", one.file, strings.Join(one.args, " "))
			parsed++
			key := strings.Join(one.args, " ")
			if seen[key] || !runsAlone(c.CommandPath(), c.Flags()) {
				continue
			}
			seen[key] = true
			ran++
			t.Run(one.file+" "+key, func(t *testing.T) {
				cmd := stackproofCommand(t, t.TempDir(), one.args...)
				cmd.Dir = t.TempDir()
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				_ = cmd.Run() // the status is judged
				assert.Equal(t, one.want, cmd.ProcessState.ExitCode(), out.String())
			})
		}
	}
	require.Greater(t, parsed, 25, "documents without commands prove nothing")
	require.Greater(t, ran, 5, "no command was run")
}

// runsAlone says whether a command needs neither a site nor a file, and ends by itself within seconds.
func runsAlone(path string, flags *pflag.FlagSet) bool {
	given := func(names ...string) bool {
		return slices.ContainsFunc(names, flags.Changed)
	}
	switch path {
	case "stackproof run":
		return given("scenario") && !given("target", "config", "systemvm-tree", "image", "durations", "dsn", "api-url",
			"replay")
	case "stackproof prove":
		return given("named") && given("scenario")
	case "stackproof list", "stackproof version", "stackproof man", "stackproof completion":
		return true
	case "stackproof doctor":
		return !given("target", "config")
	}
	return false
}

// TestDocumentedTargets: each YAML block of a document is a file of targets that loads.
func TestDocumentedTargets(t *testing.T) {
	for _, name := range []string{"CLOUDSTACK_API_KEY", "CLOUDSTACK_SECRET_KEY", "DB_PASSWORD"} {
		t.Setenv(name, "x")
	}
	loaded := 0
	for _, file := range documents(t) {
		for _, block := range blocks(t, file, "yaml") {
			if !strings.HasPrefix(block, "targets:") {
				continue
			}
			at := filepath.Join(t.TempDir(), "targets.yaml")
			require.NoError(t, os.WriteFile(at, []byte(block), 0o600))
			targets, err := config.Load(at)
			if assert.NoError(t, err, "%s:\n%s", filepath.Base(file), block) {
				assert.NotEmpty(t, targets)
			}
			loaded++
		}
	}
	require.Greater(t, loaded, 2)
}

var link = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)

// TestDocumentedLinks: each link of a document to a file leads to one.
func TestDocumentedLinks(t *testing.T) {
	looked := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			looked++
			_, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(found[1])))
			assert.NoError(t, err, "%s links to %s", filepath.Base(file), found[1])
		}
	}
	require.Greater(t, looked, 10)
}
