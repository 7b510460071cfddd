// Package facts_test makes sure that the facts which the program's comments and texts cite are in this folder.
package facts_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	// section is a citation such as "cloudstack.md 1.3", or of several, such as "confirmed.md 31 and 47".
	section = regexp.MustCompile(
		`\b(cloudstack|confirmed|scenarios|models|releases|clients|router-scripts)\.md((?:(?:,| and)? \d+(?:\.\d+)?)*)`)
	// unnamed is a citation that the above cannot see: of a page without its ending.
	unnamed = regexp.MustCompile(`facts: (cloudstack|confirmed|scenarios|models|releases|clients|router-scripts) \d`)
	number  = regexp.MustCompile(`\d+(?:\.\d+)?`)
	// trap is a citation of false passes, such as "(T1, T15)" or "(T3):".
	trap = regexp.MustCompile(`\((T\d+(?:, T\d+)*)\)`)
	// resource names where a citation may lead to: a heading's number, or the first column of a table.
	resource = regexp.MustCompile(`(?m)^(?:##+ (\d+(?:\.\d+)?)\b|\| (\d+|[TI]\d+) \|)`)
)

// citation is a place in the facts that something cites.
type citation struct{ file, part string }

// citations are those of the comments and texts of a source file.
func citations(source []byte) (all []citation) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(source)), source, nil, scanner.ScanComments)
	for {
		_, kind, text := s.Scan()
		switch kind {
		case token.EOF:
			return all
		case token.COMMENT, token.STRING:
			all = append(all, cited(text)...)
		}
	}
}

func cited(text string) (all []citation) {
	for _, found := range section.FindAllStringSubmatch(text, -1) {
		for _, part := range append([]string{""}, number.FindAllString(found[2], -1)...) {
			all = append(all, citation{found[1] + ".md", part})
		}
	}
	for _, found := range trap.FindAllStringSubmatch(text, -1) {
		for part := range strings.SplitSeq(found[1], ", ") {
			all = append(all, citation{"scenarios.md", part})
		}
	}
	return all
}

// known are the places of the facts in this folder.
func known(t *testing.T) map[citation]bool {
	t.Helper()
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	places := map[citation]bool{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		places[citation{page, ""}] = true
		for _, m := range resource.FindAllSubmatch(text, -1) {
			places[citation{page, string(m[1]) + string(m[2])}] = true
		}
	}
	return places
}

func TestCitationsResolve(t *testing.T) {
	places, seen := known(t), 0
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || filepath.Base(path) == "citations_test.go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		assert.Empty(t, unnamed.FindAllString(string(source), -1), "%s cites a page without its ending .md", path)
		for _, c := range citations(source) {
			seen++
			assert.True(t, places[c], "%s cites %s %s, which docs/facts does not have", path, c.file, c.part)
		}
		return nil
	}))
	require.Greater(t, seen, 50, "no citation was found: the expressions no longer fit")
}

// TestCitationsAreFound: what a citation looks like.
func TestCitationsAreFound(t *testing.T) {
	for text, want := range map[string][]citation{
		"// as on a server (facts: cloudstack.md 1.3, joined).": {{"cloudstack.md", ""}, {"cloudstack.md", "1.3"}},
		"// (confirmed.md 31 and 47)": {{"confirmed.md", ""}, {"confirmed.md", "31"},
			{"confirmed.md", "47"}},
		"`the count is the point (T1, T15)`": {{"scenarios.md", "T1"}, {"scenarios.md", "T15"}},
		"// T is a type":                     nil,
	} {
		assert.Equal(t, want, citations([]byte("package p\n\nvar _ = 0 "+map[bool]string{true: "+ " + text,
			false: text}[text[0] == '`']+"\n")), text)
	}
	assert.NotEmpty(t, unnamed.FindString("// which is rolled back (facts: releases 1.5)."))
	assert.False(t, known(t)[citation{"scenarios.md", "T31"}], "a fact that nobody has written down must not resolve")
	assert.False(t, known(t)[citation{"cloudstack.md", "9.9"}])
}
