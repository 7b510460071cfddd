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
	Headline, Title         string
	Seconds                 string
	Open                    bool
	Known                   template.HTML
	Guards                  []template.HTML
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
	Codes   []string
	Numbers []string
}

type htmlStep struct {
	N              int
	At, Name, Took string
	Bad            string
	Marks          []string
}

type htmlEvidence struct{ Title, Kind, Text string }

// brief leaves the facts only.
func (c *htmlCase) brief() {
	c.Lives, c.Grids, c.Sections, c.Steps, c.Evidence = nil, nil, nil, nil, nil
	c.Findings = c.Findings[:min(len(c.Findings), 3)]
	for i := range c.Findings {
		c.Findings[i].Numbers = c.Findings[i].Numbers[:min(len(c.Findings[i].Numbers), 2)]
	}
	c.Left = "Pictures and evidence of this case did not fit into the page; they are in the JSON report."
}

var signs = map[string]string{"pass": "✓", "fail": "✗", "known": "✗", "inconclusive": "?", "unsupported": "–"}

func caseView(c result.Case, release string, strict bool, anchors map[string]bool) htmlCase {
	key, _ := kind(c)
	v := htmlCase{
		ID:      name(c.ID),
		Anchor:  anchor(name(c.ID), anchors),
		Kind:    key,
		Class:   key,
		Sign:    signs[key],
		Verdict: verdict(c),
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
	if c.Known {
		v.Known = linked(why(c, release))
	}
	words := []string{line(c.Group)}
	for _, g := range c.Guards {
		v.Guards, words = append(v.Guards, linked(line(g))), append(words, line(g))
	}
	if c.Verdict == result.Fail {
		for _, f := range facts(c) {
			one := htmlFinding{Says: linked(line(f.Says))}
			for _, code := range append([]string{string(f.Class)}, f.Codes...) {
				if code = line(code); code != "" {
					one.Codes, words = append(one.Codes, code), append(words, code)
				}
			}
			for _, n := range f.Numbers {
				one.Numbers = append(one.Numbers, line(n))
			}
			v.Findings = append(v.Findings, one)
		}
	}
	v.Words = shorten(strings.ToLower(strings.Join(words, " ")), 600)
	v.Lives = drawLives(c)
	for _, g := range c.Grids {
		v.Grids = append(v.Grids, drawGrid(g))
	}
	for _, s := range c.Sections {
		v.Sections = append(v.Sections, drawSection(s))
	}
	v.Steps = htmlSteps(c)
	titles, seen := map[string]int{}, map[string]int{}
	for _, e := range c.Evidence {
		titles[e.Title]++
	}
	for _, e := range c.Evidence {
		title := line(e.Title)
		if seen[e.Title]++; titles[e.Title] > 1 {
			title += fmt.Sprintf(" (%d of %d, in the order of the story)", seen[e.Title], titles[e.Title])
		}
		v.Evidence = append(v.Evidence, htmlEvidence{title, line(e.Kind), strings.TrimRight(clean(e.Text), "\n")})
	}
	return v
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
	case "", "overview", "defects", "claims", "cases", "words", "fold", "unfold", "count":
		base = "case-" + base
	}
	one := base
	for i := 2; taken[one]; i++ {
		one = fmt.Sprintf("%s-%d", base, i)
	}
	taken[one] = true
	return one
}
