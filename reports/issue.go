package reports

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// IssueLimit is about the most bytes of an issue's text: GitHub takes 65,536 characters.
const IssueLimit = 60_000

// Issue is the text of an upstream bug report about a case, in Markdown: what is wrong, on which versions, what was
// done, what was expected and seen, and how to do it again. Secrets are taken out. It is an error when the run has no
// such case, or when there is nothing to report of it.
func Issue(run result.Run, id string) ([]byte, error) {
	run, err := withoutSecrets(run)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range run.Results {
		if strings.EqualFold(c.ID, id) {
			if c.Verdict != result.Fail {
				return nil, fmt.Errorf("%s is %s: there is no failure to report", line(c.ID), verdict(c))
			}
			return []byte(issueText(run, c)), nil
		}
		ids = append(ids, name(c.ID))
	}
	return nil, fmt.Errorf("the result has no scenario %q; it has %s", id, strings.Join(ids, ", "))
}

// issueVersions tells under which conditions it was seen.
func issueVersions(b *strings.Builder, run result.Run, c result.Case) {
	release := line(run.Release)
	b.WriteString("## Versions\n\n")
	fmt.Fprintf(b, "- CloudStack %s, target %s\n", mdText(release), mdText(run.Target))
	if run.Router != "" {
		fmt.Fprintf(b, "- router: %s\n", mdText(run.Router))
	}
	if !run.Started.IsZero() {
		fmt.Fprintf(b, "- run started %s UTC, seed %d\n", clockText(run.Started), run.Seed)
	}
	for _, n := range run.Notes {
		fmt.Fprintf(b, "- %s\n", mdText(n))
	}
	if c.Known {
		fmt.Fprintf(b, "- known on this release: %s\n", mdText(why(c, release)))
	}
	if len(c.Guards) > 0 {
		fmt.Fprintf(b, "- related: %s\n", mdText(strings.Join(c.Guards, ", ")))
	}
}

func issueText(run result.Run, c result.Case) string {
	release := line(run.Release)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", mdText(shorten(headline(c), 250)))
	fmt.Fprintf(&b, "Seen by stackproof, scenario %s: %s.\n\n", mdText(c.ID), mdText(c.Title))
	issueVersions(&b, run, c)
	b.WriteString("\n## What is wrong\n\n")
	for _, f := range facts(c) {
		fmt.Fprintf(&b, "1. %s %s\n", mdText(f.Says), mdText(codes(f)))
		for _, n := range f.Numbers {
			fmt.Fprintf(&b, "   - %s\n", mdText(n))
		}
	}
	b.WriteString("\n## What was done\n\n")
	steps := htmlSteps(c)
	for _, s := range steps {
		fmt.Fprintf(&b, "1. %s %s", s.At, mdText(s.Name))
		for _, m := range s.Marks {
			b.WriteString(" (" + mdText(m) + ")")
		}
		if s.Bad != "" {
			b.WriteString(" **" + mdText(s.Bad) + "**")
		}
		b.WriteString("\n")
	}
	if len(steps) == 0 {
		b.WriteString("The result holds no steps.\n")
	}
	b.WriteString("\n## How to do it again\n\n")
	fmt.Fprintf(
		&b,
		"```\nstackproof run --release %s --scenario %s --seed %d\n```\n",
		name(release),
		name(c.ID),
		run.Seed,
	)
	if c.Repeats > 1 {
		fmt.Fprintf(&b, "\n%s\n", mdText(counts(c)))
	}
	for _, e := range c.Evidence {
		text := strings.TrimRight(clean(e.Text), "\n")
		fence := fenceFor(text)
		part := fmt.Sprintf(
			"\n<details><summary>%s</summary>\n\n%s\n%s\n%s\n\n</details>\n",
			mdText(e.Title),
			fence,
			text,
			fence,
		)
		if b.Len()+len(part) > IssueLimit {
			b.WriteString("\nMore evidence is in the bundle (stackproof report RESULT.json --bundle FILE.tar.gz).\n")
			break
		}
		b.WriteString(part)
	}
	return b.String()
}
