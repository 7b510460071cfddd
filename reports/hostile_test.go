package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/stackproof/stackproof/harness/result"
)

// harmless checks that a text which is everywhere in a run breaks no document.
func harmless(t *testing.T, s string) {
	t.Helper()
	run := everywhere(s)
	for _, f := range Formats() {
		harmlessIn(t, f, run)
	}
	for _, o := range []TextOptions{{}, {Verbose: true, Width: 80}, {Quiet: true}} {
		harmlessText(t, run, o)
	}
}

// harmlessIn checks one document.
func harmlessIn(t *testing.T, f Format, run result.Run) {
	t.Helper()
	data, err := f.Render(run, false)
	require.NoError(t, err, f.Flag)
	text := string(data)
	require.True(t, f.Flag == "bundle" || utf8.ValidString(text), f.Flag)
	if f.Flag != "json" && f.Flag != "bundle" { // which are for programs
		require.Equal(t, -1, strings.IndexFunc(text, harmful), "--%s holds a character that controls", f.Flag)
	}
	switch f.Flag {
	case "junit":
		require.Empty(t, problems(t, data))
	case "html":
		harmlessPage(t, text, len(run.Results))
	case "csv":
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1+len(run.Results)+len(run.Missing()))
		for _, row := range rows {
			for _, cell := range row {
				require.False(t, strings.ContainsAny(cell[:min(1, len(cell))], "=+-@"), "%q is a formula", cell)
			}
		}
	case "summary":
		harmlessMarkdown(t, text)
	case "bundle":
		require.NotEmpty(t, unpack(t, data))
	case "json", "ctrf":
		require.True(t, json.Valid(data), f.Flag)
	}
}

func harmlessText(t *testing.T, run result.Run, o TextOptions) {
	t.Helper()
	text := Text(run, o)
	require.Equal(t, -1, strings.IndexFunc(text, harmful), "the text holds a character that controls")
	lines := strings.Split(text, "\n")
	require.Contains(t, lines[len(lines)-2], "2 scenarios in 0.0 s: 0 passed, 1 failed (1 known), 1 inconclusive")
}

// drawn is the format that a number draws, so that an execution of a fuzz target makes one document: the page and the
// bundle, which take a hundred times as long as the others, seldom.
func drawn(which uint16) Format {
	const seldom = 64
	var slow, quick []Format
	for _, f := range Formats() {
		if f.Flag == "html" || f.Flag == "bundle" {
			slow = append(slow, f)
		} else {
			quick = append(quick, f)
		}
	}
	if which%seldom == 0 {
		return slow[int(which/seldom)%len(slow)]
	}
	return quick[int(which)%len(quick)]
}

// TestDrawn: every format is drawn by some number.
func TestDrawn(t *testing.T) {
	seen := map[string]bool{}
	for which := range uint16(1024) {
		seen[drawn(which).Flag] = true
	}
	for _, f := range Formats() {
		require.True(t, seen[f.Flag], f.Flag)
	}
}

// harmful are characters that a terminal or a reader obeys.
func harmful(r rune) bool {
	return r != '\n' && r != '\t' && r != '\r' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// harmlessPage checks that the page has the elements of the template and no others that do something.
func harmlessPage(t *testing.T, text string, cases int) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	count := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), "%s has %s", n.Data, a.Key)
			if a.Key == "href" {
				require.Regexp(t, `^(#|data:,$|https://github\.com/apache/cloudstack/issues/\d+$)`, a.Val)
			}
		}
	}
	require.Equal(t, 1, count["script"])
	require.Equal(t, 1, count["style"])
	require.Equal(t, cases, count["article"])
	require.Zero(t, count["img"]+count["iframe"]+count["object"]+count["form"])
}

// harmlessMarkdown checks that outside of fences there is no markup but ours.
func harmlessMarkdown(t *testing.T, text string) {
	t.Helper()
	fence, details := "", 0
	for l := range strings.SplitSeq(text, "\n") {
		switch {
		case fence != "":
			if l == fence {
				fence = ""
			}
			continue
		case strings.HasPrefix(l, "```"):
			fence = l
			continue
		case strings.HasPrefix(l, "<details><summary>"):
			details++
		case l == "</details>":
			details--
		}
		plain := strings.NewReplacer("<details><summary>", "", "</summary>", "", "</details>", "").Replace(l)
		require.NotContains(t, plain, "<", "a tag that is not ours")
		if strings.HasPrefix(l, "| ") {
			require.Equal(t, 6, strings.Count(strings.ReplaceAll(strings.ReplaceAll(l, `\\`, ""), `\|`, ""), "|"), l)
		}
	}
	require.Empty(t, fence, "a fence that is not closed")
	require.Zero(t, details)
}

func TestHostileNamesBreakNothing(t *testing.T) {
	for _, s := range hostile() {
		t.Run(shorten(line(s), 30), func(t *testing.T) { harmless(t, s) })
	}
}

// TestHarmlessCanFail plants what the checks are there for.
func TestHarmlessCanFail(t *testing.T) {
	for _, r := range "\x1b\x07\u009b\u202e\u200f\x00" {
		require.True(t, harmful(r), "%q", r)
	}
	require.Equal(t, "'=1+1", cellText("=1+1"))
	require.Equal(t, "'-1", cellText("\t-1"))
	require.Equal(t, "a-1", cellText("a-1"))
}

func FuzzNames(f *testing.F) {
	for i, s := range hostile() {
		f.Add(s, uint16(i))
		f.Add(s, uint16(64*i))
	}
	f.Fuzz(func(t *testing.T, s string, which uint16) {
		run := everywhere(s)
		harmlessIn(t, drawn(which), run)
		harmlessText(t, run, TextOptions{Verbose: which%3 == 0, Quiet: which%3 == 1, Width: 80})
	})
}

// FuzzResultFile: whatever a result file holds, it is refused or becomes every document.
func FuzzResultFile(f *testing.F) {
	for i, run := range []result.Run{sample(), pictured(), everywhere("x"), {}} {
		data, err := JSON(run)
		require.NoError(f, err)
		var small bytes.Buffer
		require.NoError(f, json.Compact(&small, data))
		for which := range uint16(len(Formats())) {
			f.Add(small.String(), which+uint16(i))
		}
		f.Add(small.String(), uint16(64*i))
	}
	f.Add(
		`{"schema":2,"results":[{"verdict":"fail","lives":[{}],"grids":[{"clients":[{"rule":[-1,99]}]}],"sections":[{}],"moments":[{"step":-1}],"steps":[{}]}]}`,
		uint16(0))
	f.Add(`{"schema":3}`, uint16(1))
	f.Fuzz(func(t *testing.T, s string, which uint16) {
		run, err := result.Decode(strings.NewReader(s))
		if err != nil {
			require.NotContains(t, err.Error(), "\n", "one line")
			return
		}
		format := drawn(which)
		_, err = format.Render(run, true)
		require.NoError(t, err, format.Flag)
		require.NotEmpty(t, Text(run, TextOptions{}))
	})
}
