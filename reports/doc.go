// Package reports turns a run result into documents: text for a terminal, HTML to look at, JUnit and CTRF for gates,
// JSON for programs, Markdown for a step summary, OpenMetrics for a trend, CSV for a spreadsheet. Formats lists those
// that are files.
//
// Every function is pure: a result in, a document out. Nothing here asks a target, reads a clock or judges; what gates
// and what does not is decided by package result, and all documents say the same as the exit status.
//
// Know before changing: consumers of JUnit read very different parts of it. The rules kept here (suite name and times
// always there, unique names, the message both as attribute and as first line of the text, one case for all repeats, no
// nested suites) each exist because some consumer needs them.
package reports

import (
	"bytes"
	"fmt"

	"github.com/stackproof/stackproof/harness/result"
)

// JSON is the run as its schema says, indented, with a closing newline.
func JSON(run result.Run) ([]byte, error) {
	var b bytes.Buffer
	if err := run.Encode(&b); err != nil {
		return nil, fmt.Errorf("write JSON report: %w", err)
	}
	return b.Bytes(), nil
}
