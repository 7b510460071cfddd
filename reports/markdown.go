package reports

import (
	"fmt"
	"html"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// MarkdownLimit is the most that a GitHub step summary may hold: of a longer one nothing is shown.
const MarkdownLimit = 1 << 20

// Markdown is the run as a step summary of at most MarkdownLimit bytes. Details that do not fit are left out case by
// case, and the text says so.
func Markdown(run result.Run, strict bool) ([]byte, error) {
	release := line(run.Release)
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"## stackproof: %s, release %s\n\n**%s**\n",
		mdText(run.Target),
		mdText(run.Release),
		mdText(summary(run, strict)),
	)
	for _, a := range alarms(run) {
		b.WriteString("\n> " + mdText(a) + "\n")
	}
	b.WriteString("\n| Scenario | Verdict | Seconds | Title | Reason |\n|---|---|---:|---|---|\n")
	for _, c := range run.Results {
		fmt.Fprintf(
			&b,
			"| %s | %s | %.2f | %s | %s |\n",
			mdText(c.ID),
			mdVerdict(c),
			c.Seconds,
			mdText(c.Title),
			mdText(shorten(message(c, release), 300)),
		)
	}
	for _, id := range run.Missing() {
		fmt.Fprintf(&b, "| %s | **not run** | | | planned, and has no result |\n", mdText(id))
	}
	fmt.Fprintf(&b, "\nSeed %d", run.Seed)
	if run.Router != "" {
		b.WriteString(", router: " + mdText(run.Router))
	}
	b.WriteString("\n")
	for _, n := range run.Notes {
		b.WriteString("\n" + mdText(n) + "\n")
	}
	const note = "\n*Details of %d case(s) did not fit into a step summary; they are in the JUnit and JSON reports.*\n"
	left := 0
	for _, c := range run.Results {
		if c.Verdict == result.Pass && c.Claim == "" {
			continue
		}
		d := mdDetails(c, release)
		if b.Len()+len(d) > MarkdownLimit-len(note)-20 {
			left++
			continue
		}
		b.WriteString(d)
	}
	if left > 0 {
		fmt.Fprintf(&b, note, left)
	}
	return []byte(cut(b.String(), MarkdownLimit, "\n*cut*\n")), nil
}

func mdVerdict(c result.Case) string {
	if c.Verdict == result.Fail || c.UnexpectedPass() {
		return "**" + verdict(c) + "**"
	}
	return verdict(c)
}

func mdDetails(c result.Case, release string) string {
	text := strings.TrimSpace(details(c))
	if msg := message(c, release); msg != "" {
		text = strings.TrimSpace(msg + "\n" + text)
	}
	fence := fenceFor(text)
	return fmt.Sprintf(
		"\n<details><summary>%s %s: %s</summary>\n\n%s\n%s\n%s\n\n</details>\n",
		html.EscapeString(line(c.ID)),
		html.EscapeString(line(c.Title)),
		verdict(c),
		fence,
		text,
		fence,
	)
}

// fenceFor is a fence that the text does not hold.
func fenceFor(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence
}

// mdText is one line in which nothing is markup.
func mdText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_",
		"[", "\\[", "]", "\\]", "\\", "\\\\").
		Replace(line(s))
}
