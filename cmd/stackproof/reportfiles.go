package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/reports"
)

// reportFiles are opened before the run, so that a wrong path is found at once.
type reportFiles struct {
	junit, json, summary *os.File
}

// openReports makes the files that are wanted. The summary is appended to: the file that GitHub gives to a step may hold
// what an earlier command wrote.
func openReports(junit, json, summary string) (*reportFiles, error) {
	var r reportFiles
	for _, one := range []struct {
		path string
		into **os.File
		flag int
	}{{junit, &r.junit, os.O_TRUNC}, {json, &r.json, os.O_TRUNC}, {summary, &r.summary, os.O_APPEND}} {
		if one.path == "" {
			continue
		}
		f, err := os.OpenFile(one.path, os.O_CREATE|os.O_WRONLY|one.flag, 0o644) //nolint:gosec // reports are for others to read
		if err != nil {
			return nil, errors.Join(usage("writing a report: %w", err), r.close())
		}
		*one.into = f
	}
	return &r, nil
}

func (r *reportFiles) write(run result.Run, strict bool) error {
	if r.json != nil {
		if err := run.Encode(r.json); err != nil {
			return err
		}
	}
	if r.junit != nil {
		xml, err := reports.JUnit(run, strict)
		if err != nil {
			return err
		}
		if _, err := r.junit.Write(xml); err != nil {
			return fmt.Errorf("writing the JUnit report: %w", err)
		}
	}
	if r.summary != nil {
		if _, err := r.summary.Write(reports.Markdown(run, strict)); err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
	}
	return nil
}

func (r *reportFiles) close() error {
	var errs []error
	for _, f := range []*os.File{r.junit, r.json, r.summary} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
