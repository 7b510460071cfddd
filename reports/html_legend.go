package reports

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// legend explains the words, codes and classes of a page, once. Badges lead to it.
type legend struct {
	Words   []legendWord
	Codes   []legendWord
	Classes []legendWord
}

type legendWord struct{ Anchor, Word, Text string }

// glossary are the words that an operator meets on the page, as docs/glossary.md has them.
func glossary() []legendWord {
	words := []legendWord{
		{"", "internal id", "The number of a resource in the database `cloud`. Usage rows and records name resources " +
			"by it, records as `usage_id`; the API shows the uuid instead."},
		{"", "usage row", "A row of `cloud_usage.usage_*`: one life of one resource, open until it is deleted. Also " +
			"called helper row."},
		{"", "helper id", "The number of a usage row: the `id` of its table. It is another number than the id of the " +
			"resource that the row bills."},
		{"", "usage record", "A row of `cloud_usage.cloud_usage`: so many hours of one resource in one window. " +
			"Customers are billed by records, and records are made from usage rows."},
		{"", "usage run", "One pass of the usage server: it copies events, opens and closes usage rows, and writes " +
			"the records of one or more windows."},
		{"", "window", "The time that one usage record covers. A usage run covers one or more windows."},
		{"", "apart", "Two ids are apart when a rule's id is not the id of its own usage row. Story A shows only " +
			"then."},
		{"", "crossed", "A usage row is crossed when the delete of one rule closed the row of another."},
		{"", "leaked", "A usage row is leaked when its resource is gone and the row is still open."},
		{"", "target", "What is tested: `lab`, `existing` or `container`."},
		{"", "lab", "The target that stackproof starts by itself: a zone with the API, real databases, a usage " +
			"server and virtual routers."},
		{"", "lab's clock", "The lab has a clock of its own. It starts at a fixed date and is set forward by " +
			"stackproof, so dates of events and rows differ from the date of the run."},
		{"", "model router", "A router whose scripts are stackproof's model of the release's. HAProxy itself is real."},
		{"", "control", "The part of a scenario that shows that the probe can see the fault: a rule without a policy " +
			"that must not be sticky, a live rule whose row must stay open."},
		{"", "known failure", "A failure of the kind that the release is known for. It does not change the exit " +
			"status, unless `--strict` is given."},
		{"", "inconclusive", "The run could not get into a position to tell. It never counts as a pass."},
		{"", "unsupported", "The target cannot show what the scenario needs."},
		{"", "seed", "The number that all chance of a run comes from. `--seed` repeats it."},
	}
	for i := range words {
		words[i].Anchor = "word-" + notAnchor.ReplaceAllString(words[i].Word, "-")
	}
	return words
}

// invariants are what must hold after every usage run, as docs/verdicts.md has it.
func invariants() []legendWord {
	all := []legendWord{
		{"", "I1", "Every open helper row (`cloud_usage.usage_*`) has a live resource."},
		{"", "I2", "Every live metered resource has exactly one open row, which begins at its create event."},
		{"", "I3", "A closed row ends at the resource's own delete event."},
		{"", "I4", "No usage record bills a resource outside its life."},
		{"", "I5", "The records of a resource sum up to its life."},
		{"", "I6", "Every usage event was copied and processed."},
		{"", "I7", "Each successful usage job starts one millisecond after the previous one ended."},
		{"", "I8", "No record is there twice."},
		{"", "I9", "Rows of resources that nobody touched stay as they were."},
		{"", "I10", "The router's live `haproxy.cfg` and its running process are what the newest push renders to."},
		{"", "I11", "The usage server knows every account that the run made (`cloud_usage.account`)."},
		{"", "I12", "Each column of a row says what its event and its resource say, each column of a record what its " +
			"row says."},
	}
	for i := range all {
		all[i].Anchor = "code-" + all[i].Word
	}
	return all
}

// legendOf is the legend of a run: all words, and the codes and classes that it has.
func legendOf(run result.Run) legend {
	seen := map[string]bool{}
	for _, c := range run.Results {
		for _, f := range c.Findings {
			seen[line(string(f.Class))] = true
			for _, code := range f.Codes {
				seen[line(code)] = true
			}
		}
		for _, life := range c.Lives {
			seen[line(life.Class)] = true
		}
	}
	l := legend{Words: glossary()}
	l.Codes = slices.DeleteFunc(invariants(), func(w legendWord) bool { return !seen[w.Word] })
	for _, class := range result.Classes() {
		if word := string(class.Class); seen[word] {
			l.Classes = append(l.Classes, legendWord{"class-" + word, word, class.About})
		}
	}
	for _, list := range [][]legendWord{l.Words, l.Codes} {
		for i := range list {
			list[i].Text = strings.ReplaceAll(list[i].Text, "`", "")
		}
	}
	return l
}

// code is a class or an invariant as a badge. Anchor is where the legend explains it; empty where it does not.
type code struct{ Word, Text, Anchor string }

func (l legend) code(word string) code {
	for _, w := range slices.Concat(l.Codes, l.Classes) {
		if w.Word == word {
			return code{word, w.Text, w.Anchor}
		}
	}
	return code{Word: word}
}

// verdictWords say what a case's badge means.
func verdictWords() map[string]string {
	return map[string]string{
		"pass":         "Everything that was expected was seen, and the control was seen too.",
		"fail":         "Something that must hold does not.",
		"known":        "It fails as the release is known to. The exit status changes with --strict only.",
		"inconclusive": "The run could not get into a position to tell. It never counts as a pass.",
		"unsupported":  "The target cannot show what the scenario needs.",
	}
}
