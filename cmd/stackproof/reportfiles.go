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
	wanted := []struct {
		flag, path string
		into       **os.File
		mode       int
	}{{"--junit", junit, &r.junit, 0}, {"--json", json, &r.json, 0}, {"--summary", summary, &r.summary, os.O_APPEND}}
	taken := map[string]os.FileInfo{}
	for _, one := range wanted {
		if one.path == "" {
			continue
		}
		if one.path == "-" {
			return nil, errors.Join(usage("%s - is no file; name one (/dev/stdout for standard output)", one.flag), r.close())
		}
		f, err := os.OpenFile(one.path, os.O_CREATE|os.O_WRONLY|one.mode, 0o644) //nolint:gosec // reports are for others to read
		if err != nil {
			return nil, errors.Join(usage("%s: %w", one.flag, err), r.close())
		}
		*one.into = f
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(usage("%s: %w", one.flag, err), r.close())
		}
		for other, its := range taken {
			if os.SameFile(its, info) && info.Mode().IsRegular() {
				return nil, errors.Join(usage("%s and %s name the same file %s; each needs its own", other, one.flag, one.path), r.close())
			}
		}
		taken[one.flag] = info
	}
	return &r, errors.Join(empty(r.junit), empty(r.json))
}

// empty takes away what an earlier run left in a report. It comes after all files are known to be good: a wrong command
// line must not cost somebody the last report.
func empty(f *os.File) error {
	if f == nil {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("emptying a report: %w", err)
	}
	return nil
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
