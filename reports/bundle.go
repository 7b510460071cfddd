package reports

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// Bundle is what an upstream bug report needs of each failure, as a gzipped tar: a folder a case with the issue's text,
// the API calls, the rows before and after, the pushes, the router's files and what the page draws. Secrets are taken
// out of all of it.
func Bundle(run result.Run, strict bool) ([]byte, error) {
	run, err := withoutSecrets(run)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := &bundle{tar: tar.NewWriter(zip), at: run.Started}
	anchors, failed := map[string]bool{}, 0
	for _, c := range run.Results {
		if c.Verdict == result.Fail {
			failed++
			w.failure(run, c, anchor(name(c.ID), anchors))
		}
	}
	w.add("README.md", bundleReadme(run, strict, failed))
	data, err := JSON(run)
	if err != nil {
		return nil, err
	}
	w.add("result.json", string(data))
	if w.err == nil {
		w.err = w.tar.Close()
	}
	if w.err == nil {
		w.err = zip.Close()
	}
	if w.err != nil {
		return nil, fmt.Errorf("write bundle: %w", w.err)
	}
	return b.Bytes(), nil
}

func bundleReadme(run result.Run, strict bool, failed int) string {
	return fmt.Sprintf(`# Bundle of a stackproof run

CloudStack %s, target %s, router: %s. %s

There are %d failures, a folder each:

- issue.md: the text of a bug report
- calls.ndjson: the API calls that changed something, with their answers and times, an object a line
- rows.txt: database rows, before and after
- pushes.txt: what was pushed to the router
- files.txt: haproxy.cfg as it should be and as it is
- seen.txt: all other evidence
- server.log: what the management server logged from the story's beginning to its first failure, the newest lines; other
  scenarios that ran at the same time are in it
- views.json: what the HTML report draws

A file that would be empty is not there. result.json is the whole result. Secrets were replaced by the word redacted.
`, line(run.Release), line(run.Target), line(run.Router), summary(run, strict), failed)
}

// bundle writes files until the first error.
type bundle struct {
	tar *tar.Writer
	at  time.Time
	err error
}

func (w *bundle) add(name, text string) {
	if text == "" || w.err != nil {
		return
	}
	data := []byte(text)
	header := &tar.Header{
		Name:    "stackproof/" + name,
		Mode:    0o644,
		Size:    int64(len(data)),
		ModTime: w.at,
		Format:  tar.FormatPAX,
	}
	if w.err = w.tar.WriteHeader(header); w.err == nil {
		_, w.err = w.tar.Write(data)
	}
}

func (w *bundle) failure(run result.Run, c result.Case, folder string) {
	w.add(folder+"/issue.md", issueText(run, c))
	files := map[string]string{
		result.KindRows:     "rows.txt",
		result.KindPush:     "pushes.txt",
		result.KindFileDiff: "files.txt",
	}
	texts := map[string]*strings.Builder{}
	for _, e := range c.Evidence {
		file, ok := files[e.Kind]
		if !ok {
			file = "seen.txt"
		}
		if texts[file] == nil {
			texts[file] = &strings.Builder{}
		}
		fmt.Fprintf(texts[file], "== %s\n%s\n\n", line(e.Title), strings.TrimRight(clean(e.Text), "\n"))
	}
	for _, file := range []string{"rows.txt", "pushes.txt", "files.txt", "seen.txt"} {
		if texts[file] != nil {
			w.add(folder+"/"+file, texts[file].String())
		}
	}
	var calls strings.Builder
	for _, call := range c.Calls {
		data, err := json.Marshal(call)
		if err != nil {
			w.err = err
			return
		}
		calls.Write(append(data, '\n'))
	}
	w.add(folder+"/calls.ndjson", calls.String())
	if len(c.Log) > 0 {
		w.add(folder+"/server.log", clean(strings.Join(c.Log, "\n"))+"\n")
	}
	data, err := json.MarshalIndent(c.Views, "", "  ")
	if err != nil {
		w.err = err
		return
	}
	w.add(folder+"/views.json", string(data))
}
