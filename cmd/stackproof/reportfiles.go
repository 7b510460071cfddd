package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/reports"
)

// reportFlags are the flags of the documents that a run can be written as, one for each of reports.Formats.
type reportFlags struct {
	wanted []wantedReport
}

// wantedReport is a format with the path that its flag was given; an empty path means that it is not wanted.
type wantedReport struct {
	reports.Format
	path *string
}

func (r *reportFlags) add(f *pflag.FlagSet) {
	for _, format := range reports.Formats() {
		r.wanted = append(r.wanted, wantedReport{format, f.String(format.Flag, "", format.Usage)})
	}
}

// reportFiles are opened before the run, so that a wrong path is found at once.
type reportFiles []reportFile

type reportFile struct {
	reports.Format
	file *os.File
}

// open makes the files that are wanted.
func (r *reportFlags) open() (files reportFiles, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, files.close())
		}
	}()
	var taken []os.FileInfo
	for _, one := range r.wanted {
		if *one.path == "" {
			continue
		}
		if *one.path == "-" {
			return files, usage("--%s - is no file; name one (/dev/stdout for standard output)", one.Flag)
		}
		mode := os.O_CREATE | os.O_WRONLY
		if one.Append {
			mode |= os.O_APPEND
		}
		f, err := os.OpenFile(*one.path, mode, 0o644) //nolint:gosec // reports are for others to read
		if err != nil {
			return files, usage("--%s: %w", one.Flag, err)
		}
		files = append(files, reportFile{one.Format, f})
		info, err := f.Stat()
		if err != nil {
			return files, usage("--%s: %w", one.Flag, err)
		}
		for i, its := range taken {
			if os.SameFile(its, info) && info.Mode().IsRegular() {
				return files, usage("--%s and --%s name the same file %s; each needs its own", files[i].Flag, one.Flag, *one.path)
			}
		}
		taken = append(taken, info)
	}
	return files, files.empty()
}

// empty takes away what an earlier run left in reports that are written anew. It comes after all files are known to be good:
// a wrong command line must not cost somebody the last report.
func (r reportFiles) empty() error {
	for _, one := range r {
		if one.Append {
			continue
		}
		if info, err := one.file.Stat(); err != nil {
			return fmt.Errorf("emptying a report: %w", err)
		} else if !info.Mode().IsRegular() {
			continue
		}
		if err := one.file.Truncate(0); err != nil {
			return fmt.Errorf("emptying a report: %w", err)
		}
	}
	return nil
}

func (r reportFiles) write(run result.Run, strict bool) error {
	for _, one := range r {
		data, err := one.Render(run, strict)
		if err != nil {
			return err
		}
		if _, err := one.file.Write(data); err != nil {
			return fmt.Errorf("writing the report of --%s: %w", one.Flag, err)
		}
	}
	return nil
}

func (r reportFiles) close() error {
	var errs []error
	for _, one := range r {
		errs = append(errs, one.file.Close())
	}
	return errors.Join(errs...)
}

// textFlags say how much of a result is printed.
type textFlags struct{ quiet, verbose bool }

func (t *textFlags) add(f *pflag.FlagSet) {
	f.BoolVarP(&t.quiet, "quiet", "q", false, "print only new failures and the summary")
	f.BoolVarP(&t.verbose, "verbose", "v", false, "print all evidence, of known failures too")
}

// options fit the closing text to where it goes.
func (t *textFlags) options(out io.Writer, strict bool) reports.TextOptions {
	o := reports.TextOptions{Strict: strict, Quiet: t.quiet, Verbose: t.verbose}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is small
		o.Color = os.Getenv("NO_COLOR") == ""
		if width, _, err := term.GetSize(int(f.Fd())); err == nil { //nolint:gosec // a file descriptor is small
			o.Width = width
		}
	}
	return o
}
