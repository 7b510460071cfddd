package reports

import "github.com/stackproof/stackproof/harness/result"

// Format is one kind of document that a run is written as. A new one is a file with its function, and a line in
// Formats.
type Format struct {
	Flag  string // name of the command's flag that takes the file
	Usage string // text of that flag
	// Append says that the document is added to what its file holds already, as the file of a step summary wants it.
	Append bool
	// Early says that the document is written after each finished scenario, too, so that a run that is killed leaves
	// it.
	Early bool
	// Render is pure: a run in, the whole document out. strict says how the run is judged.
	Render func(run result.Run, strict bool) ([]byte, error)
}

// Formats lists the documents in the order in which help shows them.
func Formats() []Format {
	return []Format{
		{Flag: "junit", Usage: "write a JUnit report to this file", Early: true, Render: JUnit},
		{Flag: "json", Usage: "write the result as JSON to this file", Early: true, Render: withoutStrict(JSON)},
		{Flag: "summary", Usage: "append a Markdown summary to this file", Append: true, Render: Markdown},
		{Flag: "html", Usage: "write a report to look at to this file: one page that needs nothing else", Render: HTML},
		{Flag: "ctrf", Usage: "write a CTRF report (JSON) to this file", Render: CTRF},
		{Flag: "openmetrics", Usage: "write counts and times as OpenMetrics to this file", Render: OpenMetrics},
		{Flag: "csv", Usage: "write a table of the scenarios as CSV to this file", Render: CSV},
		{
			Flag:   "bundle",
			Usage:  "write what bug reports about the failures need to this file (.tar.gz)",
			Render: Bundle,
		},
	}
}

// withoutStrict is for documents that say the same however a run is judged.
func withoutStrict(render func(result.Run) ([]byte, error)) func(result.Run, bool) ([]byte, error) {
	return func(run result.Run, _ bool) ([]byte, error) { return render(run) }
}
