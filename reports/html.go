package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

//go:embed html
var htmlFiles embed.FS

// HTMLLimit is about the most bytes of an HTML report. Of cases beyond it the report has the facts, without pictures
// and evidence, and says so.
const HTMLLimit = 2_800_000

// fewCases is up to how many cases a page shows each failure unfolded.
const fewCases = 3

// HTML is the run as one page that needs nothing else: no other file, no network, no script to be read.
func HTML(run result.Run, strict bool) ([]byte, error) {
	pages, err := template.ParseFS(htmlFiles, "html/report.gohtml")
	if err != nil {
		return nil, fmt.Errorf("read the template of the HTML report: %w", err)
	}
	head, err := overview(run, strict)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "head", head); err != nil {
		return nil, fmt.Errorf("write HTML report: %w", err)
	}
	anchors, words := map[string]bool{}, legendOf(run)
	for i, c := range run.Results {
		view := caseView(c, line(run.Release), strict, anchors, words)
		// Where there is little to see, nobody should have to unfold it to learn why it failed.
		view.Open = view.Open || len(run.Results) <= fewCases && c.Verdict == result.Fail
		before := b.Len()
		if err := pages.ExecuteTemplate(&b, "case", view); err != nil {
			return nil, fmt.Errorf("write HTML report: case %s: %w", c.ID, err)
		}
		// What is left is for the other cases too: a brief one takes about this much.
		const brief = 2500
		if b.Len() > HTMLLimit-brief*(len(run.Results)-i) {
			b.Truncate(before)
			view.brief()
			if err := pages.ExecuteTemplate(&b, "case", view); err != nil {
				return nil, fmt.Errorf("write HTML report: case %s: %w", c.ID, err)
			}
		}
	}
	if err := pages.ExecuteTemplate(&b, "tail", head); err != nil {
		return nil, fmt.Errorf("write HTML report: %w", err)
	}
	return b.Bytes(), nil
}

// page is what the head and the tail of the page show.
type page struct {
	Policy                 string
	Style                  template.CSS
	Script                 template.JS
	Target, Release        string
	Short, Sentence, Class string
	Sign, Summary          string
	Schema                 int
	Alarms                 []string
	Counts                 []kindCount
	Bar                    *bar
	Facts                  []pair
	Defects                []defect
	Claims                 []string
	Conditions             string
	ExitNote               string
	Legend                 legend
}

type kindCount struct {
	Kind, Class, Word string
	Number            int
}

type bar struct {
	Label string
	Parts []barPart
}

type barPart struct {
	Class, Label string
	X, W         int
}

type pair struct {
	Name  string
	Value template.HTML
}

type defect struct {
	Why   template.HTML
	Cases []string
}

func overview(run result.Run, strict bool) (page, error) {
	style, err := htmlFiles.ReadFile("html/style.css")
	if err != nil {
		return page{}, fmt.Errorf("read the style of the HTML report: %w", err)
	}
	script, err := htmlFiles.ReadFile("html/script.js")
	if err != nil {
		return page{}, fmt.Errorf("read the script of the HTML report: %w", err)
	}
	p := page{
		Style:   template.CSS(style), //nolint:gosec // our own file
		Script:  template.JS(script), //nolint:gosec // our own file
		Target:  name(run.Target),
		Release: name(run.Release),
		Schema:  result.SchemaVersion,
		Alarms:  alarms(run),
		Summary: summary(run, strict),
		Legend:  legendOf(run),
	}
	p.Conditions, p.ExitNote = conditions(run), exitNote(run, strict)
	p.Policy = fmt.Sprintf(
		"default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; img-src data:; base-uri 'none'; "+
			"form-action 'none'",
		hash(style),
		hash(script),
	)
	p.Sentence, p.Class, p.Sign = verdictSentence(run, strict)
	p.Short = map[string]string{"pass": "as expected", "known": "fails as known", "fail": "failed",
		"inconclusive": "undecided"}[p.Class]
	p.Counts = countKinds(run.Results)
	p.Bar = barOf(p.Counts, len(run.Results))
	p.facts(run, strict)
	for _, c := range run.Results {
		if c.Claim != "" {
			p.Claims = append(p.Claims, line(c.Claim))
		}
		if !c.Known || c.Verdict != result.Fail {
			continue
		}
		for _, b := range bugsOf(why(c, line(run.Release))) {
			why := linked(b.told(line(run.Release)))
			i := slices.IndexFunc(p.Defects, func(d defect) bool { return d.Why == why })
			if i < 0 {
				p.Defects = append(p.Defects, defect{Why: why})
				i = len(p.Defects) - 1
			}
			p.Defects[i].Cases = append(p.Defects[i].Cases, name(c.ID))
		}
	}
	return p, nil
}

func hash(file []byte) string {
	sum := sha256.Sum256(file)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (p *page) facts(run result.Run, strict bool) {
	add := func(name, value string) {
		if value = line(value); value != "" {
			p.Facts = append(p.Facts, pair{name, linked(value)})
		}
	}
	add("Release", run.Release)
	add("Target", run.Target)
	add("Router", run.Router)
	if !run.Started.IsZero() {
		add("Started", run.Started.UTC().Format("2006-01-02 15:04:05")+" UTC")
	}
	add("Took", took(run))
	add("Target's clock", ownClock(run))
	add("Seed", strconv.FormatInt(run.Seed, 10))
	if strict {
		add("Judged", "strict: known failures count")
	}
	if s := run.Shard; s != nil {
		add("Part", fmt.Sprintf("shard %d of %d", s.Index, s.Of))
	}
	add("Exit status", fmt.Sprint(run.ExitCode(strict)))
	for _, n := range run.Notes {
		add("Note", n)
	}
}

// kind sorts a case for counts, colours and the filter.
func kind(c result.Case) (key, word string) {
	switch {
	case c.Verdict == result.Pass:
		return "pass", "passed"
	case c.Verdict == result.Fail && c.Known:
		return "known", "failed as known"
	case c.Verdict == result.Fail:
		return "fail", "failed"
	case c.Verdict == result.Unsupported:
		return "unsupported", "not shown by this target"
	}
	return "inconclusive", "undecided"
}

func countKinds(cases []result.Case) []kindCount {
	order := []string{"fail", "known", "inconclusive", "unsupported", "pass"}
	var counts []kindCount
	for _, c := range cases {
		key, word := kind(c)
		i := slices.IndexFunc(counts, func(k kindCount) bool { return k.Kind == key })
		if i < 0 {
			counts = append(counts, kindCount{Kind: key, Class: key, Word: word})
			i = len(counts) - 1
		}
		counts[i].Number++
	}
	slices.SortFunc(
		counts,
		func(a, b kindCount) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) },
	)
	return counts
}

func barOf(counts []kindCount, all int) *bar {
	if all == 0 {
		return nil
	}
	b, at := &bar{}, 0
	var words []string
	for _, c := range counts {
		label := fmt.Sprintf("%d %s", c.Number, c.Word)
		words = append(words, label)
		w := 1000 * c.Number / all
		b.Parts = append(b.Parts, barPart{Class: c.Class, Label: label, X: at, W: w})
		at += w
	}
	b.Label = strings.Join(words, ", ")
	return b
}

// issue matches the number of an upstream issue or pull request.
var issue = regexp.MustCompile(`#(\d{3,6})\b`)

// linked is text with its upstream numbers as links.
func linked(text string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range issue.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(html.EscapeString(text[at:m[0]]))
		fmt.Fprintf(
			&b,
			`<a href="https://github.com/apache/cloudstack/issues/%s" rel="noreferrer">%s</a>`,
			text[m[2]:m[3]],
			text[m[0]:m[1]],
		)
		at = m[1]
	}
	b.WriteString(html.EscapeString(text[at:]))
	return template.HTML(b.String()) //nolint:gosec // all text is escaped above
}

func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
