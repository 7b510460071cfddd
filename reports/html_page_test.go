package reports

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// documented are the rows of a table of words in a document.
func documented(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../docs/" + file)
	require.NoError(t, err)
	words := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| (.+) \|$`).FindAllStringSubmatch(string(data), -1) {
		words[m[1]] = m[2]
	}
	return words
}

// TestLegendSaysWhatTheDocumentsSay: a word has one meaning.
func TestLegendSaysWhatTheDocumentsSay(t *testing.T) {
	words, codes := documented(t, "glossary.md"), documented(t, "verdicts.md")
	for _, w := range glossary() {
		require.Equal(t, words[w.Word], w.Text, w.Word)
	}
	for _, w := range invariants() {
		require.Equal(t, codes[w.Word], w.Text, w.Word)
	}
	require.Len(t, invariants(), strings.Count(strings.Join(keys(codes), " "), "I"), "all of them")
}

func keys(m map[string]string) []string {
	var all []string
	for k := range m {
		if regexp.MustCompile(`^I\d+$`).MatchString(k) {
			all = append(all, k)
		}
	}
	return all
}

func TestLegendHasWhatTheRunHas(t *testing.T) {
	l := legendOf(pictured())
	require.Equal(t, code{"leaked-row", "The usage row of a deleted resource is still open, so it is billed for ever.",
		"class-leaked-row"}, l.code("leaked-row"))
	require.Equal(t, "code-I4", l.code("I4").Anchor)
	require.Equal(t, code{Word: "I7"}, l.code("I7"), "no finding has it")
	require.Equal(t, code{Word: "no-class"}, l.code("no-class"))
}

func TestOnlyKnownBugsAreNamed(t *testing.T) {
	failed := func(why string) result.Case {
		return result.Case{Verdict: result.Fail, Known: true, KnownWhy: why}
	}
	one := failed("#10789: x; fixed in 4.20.1.0")
	for want, cases := range map[string][]result.Case{
		"R: only the known bug #10789 showed up; 1 of 2 scenarios failed through it.": {one, {Verdict: result.Pass}},
		"R: only the known bug #10789 showed up; 2 of 2 scenarios failed through it.": {one, one},
		"R: only known bugs showed up (#10789, #2222); 2 of 2 scenarios failed through them.": {one,
			failed("#10789: x; #2222: y")},
		"R: only known bugs showed up; 2 of 2 scenarios failed through them.":     {one, failed("rows are wrong")},
		"R: only the known bug #10789 showed up; its scenario failed through it.": {one},
		"R fails: 1 of 2 scenarios failed in a way that is not known of it; besides, 1 of 2 scenarios fail through 1 " +
			"known defect.": {one, {Verdict: result.Fail}},
	} {
		sentence, _, _ := verdictSentence(result.Run{Release: "R", Results: cases}, false)
		require.Equal(t, want, sentence)
	}
	run := result.Run{Release: "R", Results: []result.Case{one}}
	require.Contains(t, exitNote(run, false), "Exit status 0")
	require.Empty(t, exitNote(run, true), "it is not 0")
	run.Results[0].Verdict = result.Pass
	require.Empty(t, exitNote(run, false), "nothing failed")
}

func TestFactsOfTheRunExplainThemselves(t *testing.T) {
	run := result.Run{Target: "lab", Release: "R", Router: "model", Seed: 7, Seconds: 3, Started: clockAt(0),
		Results: []result.Case{{Seconds: 2, Steps: []result.Step{{At: clockAt(5)}}}, {Seconds: 2}}}
	require.Equal(t, "3.0 s. Scenarios ran side by side: together they took 4.0 s", took(run))
	require.Empty(t, ownClock(run))
	require.Equal(t, "release R, target lab, router model, seed 7", conditions(run))
	run.Started, run.Seconds = run.Started.Add(100*24*time.Hour), 4
	require.Equal(t, "4.0 s", took(run))
	require.Contains(t, ownClock(run), "from 2026-06-01 12:00:05 on")
}

func TestRowsBeforeAndAfter(t *testing.T) {
	c := pictured().Results[0]
	table, at := beforeAfter(c)
	require.Equal(t, 1, at)
	require.Equal(t, "2026-11-25", table.Day)
	require.Equal(t, []string{"name", "internal id", "helper id", "created", "closed before", "closed after",
		"delete event"}, table.Head)
	r3 := table.Rows[1]
	require.Equal(t, rowsRow{Class: "crossed-close", Cells: []rowsCell{
		{Text: "LB rule R3", Dim: "5f529e7e-1795-4eff-9f3f-f6a49ca96b56"}, {Text: "5", Number: true},
		{Text: "3", Number: true}, {Text: "02:35:20"}, {Text: "open"}, {Text: "02:36:03", Changed: true},
		{Text: "–"}}}, r3)
	require.Equal(t, "leaked-row", table.Rows[0].Class)
	require.Empty(t, table.Rows[2].Class)

	born := c.Evidence[1]
	born.Text = rowsText("(no row)", "open")
	table, ok := rowsTableOf(born, nil)
	require.True(t, ok)
	require.False(t, table.Rows[1].Cells[5].Changed, "a row that is new did not change")
	born.Text = strings.NewReplacer("A d3d10253-c85c-49a3-837e-dc67ea6fe927", strings.Repeat(" ", 38),
		"R3 5f529e7e-1795-4eff-9f3f-f6a49ca96b56", strings.Repeat(" ", 39), "R4", "  ").Replace(born.Text)
	table, ok = rowsTableOf(born, nil)
	require.True(t, ok)
	require.False(t, table.Numeric[0], "names that are not told are no numbers")

	same := c.Evidence[1]
	same.Text = rowsText("open", "open")
	c.Evidence = []result.Evidence{same, c.Evidence[1]}
	_, at = beforeAfter(c)
	require.Equal(t, 1, at, "the one in which something changed")
	c.Evidence[1].Text = strings.Replace(rowsText("open", "2026-11-26 02:36:03"), "R4 ", "a name much longer than the "+
		"column is, and no table any more ", 1)
	_, at = beforeAfter(c)
	require.Equal(t, 0, at, "what has no columns is no table")
	c.Evidence[1].Text = rowsText("open", "2026-11-26 02:36:03")
	table, _ = beforeAfter(c)
	require.Empty(t, table.Day, "several days are told")
	c.Verdict = result.Pass
	_, at = beforeAfter(c)
	require.Equal(t, -1, at)
}
