package reports

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// htmlCase is what the page shows of a case.
type htmlCase struct {
	Anchor, ID, Kind, Words string
	Class, Sign, Verdict    string
	Meaning                 string // of the verdict
	Headline, Title         string
	Seconds                 string
	Open                    bool
	Causes, Todos           []template.HTML
	Known                   []template.HTML
	Guards, Ended           []template.HTML // upstream reports, and the fixes of those
	Before                  *htmlRows
	Repeats, Claim          string
	Findings                []htmlFinding
	Lives                   *livesPicture
	Grids                   []gridPicture
	Sections                []sectionPicture
	Steps                   []htmlStep
	Evidence                []htmlEvidence
	Left                    string
}

type htmlFinding struct {
	Says    template.HTML
	Codes   []code
	Numbers []string
}

// htmlRows is a table of usage rows with the badges of its findings.
type htmlRows struct {
	rowsTable
	Codes []code // a row each
}

type htmlStep struct {
	N              int
	At, Name, Took string
	Bad            string
	Marks          []string
}

type htmlEvidence struct{ Title, When, Text string }

// brief leaves the facts only.
func (c *htmlCase) brief() {
	c.Before, c.Lives, c.Grids, c.Sections, c.Steps, c.Evidence = nil, nil, nil, nil, nil, nil
	c.Causes, c.Todos, c.Meaning = c.Causes[:min(len(c.Causes), 1)], nil, ""
	c.Findings = c.Findings[:min(len(c.Findings), 3)]
	for i := range c.Findings {
		c.Findings[i].Numbers = c.Findings[i].Numbers[:min(len(c.Findings[i].Numbers), 2)]
		for j := range c.Findings[i].Codes {
			c.Findings[i].Codes[j].Text = ""
		}
	}
	c.Left = "Pictures and evidence of this case did not fit into the page; they are in the JSON report."
}

var signs = map[string]string{"pass": "✓", "fail": "✗", "known": "✗", "inconclusive": "?", "unsupported": "–"}

func caseView(c result.Case, release string, strict bool, anchors map[string]bool, words legend) htmlCase {
	key, _ := kind(c)
	v := htmlCase{
		ID:      name(c.ID),
		Anchor:  anchor(name(c.ID), anchors),
		Kind:    key,
		Class:   key,
		Sign:    signs[key],
		Verdict: verdict(c),
		Meaning: verdictWords()[key],
		Title:   shorten(line(c.Title), longest*2),
		Headline: shorten(
			headline(c),
			600,
		),
		Seconds: fmt.Sprintf("%.2f", c.Seconds),
		Open:    c.Gates(strict) != result.ExitOK,
		Repeats: counts(c),
		Claim:   line(c.Claim),
	}
	if c.UnexpectedPass() {
		v.Class, v.Sign, v.Headline = "known", "!", message(c, release)
	}
	if v.Headline == "" {
		v.Headline, v.Title = v.Title, ""
	}
	if c.Verdict == result.Fail && v.Title != "" {
		v.Title = "Expected: " + v.Title
	}
	v.explain(c, release)
	search := append([]string{line(c.Group)}, v.guards(c)...)
	if c.Verdict == result.Fail {
		search = append(search, v.findings(c, words)...)
	}
	v.Words = shorten(strings.ToLower(strings.Join(search, " ")), 600)
	v.Lives = drawLives(c, v.Anchor)
	for _, g := range c.Grids {
		v.Grids = append(v.Grids, drawGrid(g))
	}
	for _, s := range c.Sections {
		v.Sections = append(v.Sections, drawSection(s))
	}
	v.Steps = htmlSteps(c)
	v.evidence(c, words)
	return v
}

// explain says why a case failed and what is to be done, as far as that is known.
func (v *htmlCase) explain(c result.Case, release string) {
	for _, says := range causes(c) {
		v.Causes = append(v.Causes, linked(says))
	}
	if !c.Known {
		if c.Verdict == result.Fail {
			v.Todos = append(v.Todos, linked(fmt.Sprintf("%s is not known for this. \"stackproof report RESULT.json "+
				"--issue %s\" writes the text of a bug report.", name(release), name(c.ID))))
		}
		return
	}
	bugs := bugsOf(why(c, release))
	for _, b := range bugs {
		v.Known = append(v.Known, linked(b.told(release)))
		if says := b.todo(release); says != "" && c.Verdict == result.Fail {
			v.Todos = append(v.Todos, linked(says))
		}
	}
	if len(v.Todos) > 0 && mendable(c) {
		v.Todos = append(v.Todos, linked("An update does not mend rows that are wrong already: stackproof audit finds "+
			"them, and stackproof repair plan says how to mend them."))
	}
}

// guards names the upstream reports that the case guards against, fixes apart from bugs, and returns them.
func (v *htmlCase) guards(c result.Case) []string {
	var words []string
	fixes := fixIssues(c.KnownWhy)
	for _, g := range c.Guards {
		says := line(g)
		words = append(words, says)
		if fixes[says] {
			v.Ended = append(v.Ended, linked("fix "+says))
		} else {
			v.Guards = append(v.Guards, linked(says))
		}
	}
	return words
}

// findings tells the facts of a failure and returns their codes.
func (v *htmlCase) findings(c result.Case, words legend) []string {
	var search []string
	for _, f := range facts(c) {
		one := htmlFinding{Says: linked(line(f.Says))}
		for _, word := range append([]string{string(f.Class)}, f.Codes...) {
			if word = line(word); word != "" {
				one.Codes, search = append(one.Codes, words.code(word)), append(search, word)
			}
		}
		for _, n := range f.Numbers {
			one.Numbers = append(one.Numbers, line(n))
		}
		v.Findings = append(v.Findings, one)
	}
	return search
}

// evidence shows all that was seen. The rows before and after stand apart, above.
func (v *htmlCase) evidence(c result.Case, words legend) {
	table, above := beforeAfter(c)
	if above >= 0 {
		v.Before = &htmlRows{rowsTable: table}
		if when := seenIn(c, c.Evidence[above]); when != "" {
			v.Before.Title += " (" + when + ")"
		}
		for _, r := range table.Rows {
			v.Before.Codes = append(v.Before.Codes, words.code(r.Class))
		}
	}
	titles, nth := map[string]int{}, map[string]int{}
	for _, e := range c.Evidence {
		titles[e.Title]++
	}
	for i, e := range c.Evidence {
		one := htmlEvidence{Title: line(e.Title), When: seenIn(c, e), Text: strings.TrimRight(clean(e.Text), "\n")}
		nth[e.Title]++
		switch {
		case titles[e.Title] > 1 && one.When == "":
			one.When = fmt.Sprintf("%d of %d, in the order of the story", nth[e.Title], titles[e.Title])
		case titles[e.Title] == 1 && i != above:
			one.When = ""
		}
		if i != above {
			v.Evidence = append(v.Evidence, one)
		}
	}
}

// seenIn says in which step evidence was seen; "" where that is not told.
func seenIn(c result.Case, e result.Evidence) string {
	if e.Step < 1 || e.Step > len(c.Steps) {
		return ""
	}
	return fmt.Sprintf("seen in step %d, %s", e.Step, shorten(line(c.Steps[e.Step-1].Name), longest))
}

func htmlSteps(c result.Case) []htmlStep {
	steps := make([]htmlStep, len(c.Steps))
	for i, s := range c.Steps {
		steps[i] = htmlStep{N: i + 1, Name: shorten(line(s.Name), longest*2), Took: fmt.Sprintf("%.2f", s.Seconds)}
		if !s.At.IsZero() {
			steps[i].At = clockText(s.At)
		}
		if s.State != "done" && s.State != "" {
			steps[i].Bad = line(s.State)
		}
	}
	for _, m := range c.Moments {
		if m.Step < 0 || m.Step >= len(steps) {
			continue
		}
		says := line(m.Says)
		if m.Count > 1 {
			says = fmt.Sprintf("%d × %s", m.Count, says)
		}
		steps[m.Step].Marks = append(steps[m.Step].Marks, says)
	}
	return steps
}

var notAnchor = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// anchor makes an id of its own for a case. An id begins with a letter, so that no case can take one of the page's.
func anchor(id string, taken map[string]bool) string {
	base := notAnchor.ReplaceAllString(id, "-")
	switch base {
	case "", "overview", "defects", "claims", "cases", "words", "fold", "unfold", "count", "legend":
		base = "case-" + base
	}
	for _, ours := range []string{"word-", "code-", "class-", "hatch-"} {
		if strings.HasPrefix(base, ours) {
			base = "case-" + base
		}
	}
	one := base
	for i := 2; taken[one]; i++ {
		one = fmt.Sprintf("%s-%d", base, i)
	}
	taken[one] = true
	return one
}
