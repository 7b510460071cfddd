package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
	common := []string{"junit", "json"}
	for _, format := range reports.Formats() {
		define := func(f *pflag.FlagSet) {
			r.wanted = append(r.wanted, wantedReport{format, f.String(format.Flag, "", format.Usage)})
		}
		if slices.Contains(common, format.Flag) {
			define(f)
		} else {
			inGroup(f, "reports", define)
		}
	}
}

// any says whether a document is wanted.
func (r *reportFlags) any() bool {
	return slices.ContainsFunc(r.wanted, func(w wantedReport) bool { return *w.path != "" })
}

// open looks whether the wanted files can be written. It changes none of them: a wrong command line must not cost
// somebody the last report.
func (r *reportFlags) open() (files reportFiles, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, files.close())
		}
	}()
	for _, one := range r.wanted {
		if *one.path == "" {
			continue
		}
		if *one.path == "-" {
			return files, usage("--%s - is no file; name one (/dev/stdout for standard output)", one.Flag)
		}
		file, err := newReportFile(one.Format, *one.path)
		if err != nil {
			return files, usage("--%s: %w", one.Flag, err)
		}
		for _, other := range files {
			if file.stream == nil && other.same(file) {
				return files, usage("--%s and --%s name the same file %s; each needs its own", other.Flag, one.Flag,
					*one.path)
			}
		}
		files = append(files, file)
	}
	return files, nil
}

// reportFiles are where the documents of a run go.
type reportFiles []reportFile

// reportFile is one of them. What is a file is written as a whole, beside the last version, which it then replaces; so
// there is a complete document at every moment. A pipe or a device is kept open and gets the last version only.
type reportFile struct {
	reports.Format
	path   string   // links followed
	stream *os.File // of a pipe or a device; nil for a file
}

// newReportFile tries whether a path can be written.
func newReportFile(format reports.Format, path string) (reportFile, error) {
	one := reportFile{Format: format, path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && (!info.Mode().IsRegular() || strings.HasPrefix(path, "/dev/") ||
		strings.HasPrefix(path, "/proc/")):
		one.stream, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		return one, err
	case err == nil:
		if one.path, err = filepath.EvalSymlinks(path); err != nil {
			return one, err
		}
		f, err := os.OpenFile(one.path, os.O_WRONLY, 0)
		if err != nil {
			return one, err
		}
		return one, f.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return one, err
	}
	f, err := os.Create(one.beside())
	if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			err = &fs.PathError{Op: "create", Path: path, Err: why.Err}
		}
		return one, err
	}
	return one, errors.Join(f.Close(), os.Remove(one.beside()))
}

// beside is where the next version is written. A run that was killed while it wrote leaves it, and the next one uses it
// again.
func (r reportFile) beside() string {
	return filepath.Join(filepath.Dir(r.path), "."+filepath.Base(r.path)+".part")
}

// same says whether two reports would be one file.
func (r reportFile) same(other reportFile) bool {
	a, errA := os.Stat(r.path)
	b, errB := os.Stat(other.path)
	if errA == nil && errB == nil {
		return os.SameFile(a, b)
	}
	return filepath.Clean(r.path) == filepath.Clean(other.path)
}

// onStdout says whether a path is the program's standard output.
func onStdout(path string) bool {
	return slices.Contains([]string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, filepath.Clean(path))
}

// textTo is where the text for people goes: not among a document that goes to standard output.
func (r reportFiles) textTo(c *cobra.Command) io.Writer {
	if slices.ContainsFunc(r, func(one reportFile) bool { return onStdout(one.path) }) {
		return c.ErrOrStderr()
	}
	return c.OutOrStdout()
}

// partial writes what is known so far to the reports that are to survive a killed run, where they are files of their
// own.
func (r reportFiles) partial(run result.Run, strict bool) error {
	for _, one := range r {
		if one.stream == nil && one.Early {
			if err := one.write(run, strict); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes the run as it ended.
func (r reportFiles) write(run result.Run, strict bool) error {
	var errs []error
	for _, one := range r { // one that cannot be written keeps no other from being there
		errs = append(errs, one.write(run, strict))
	}
	return errors.Join(errs...)
}

func (r reportFiles) close() error {
	var errs []error
	for _, one := range r {
		if one.stream != nil {
			errs = append(errs, one.stream.Close())
		}
	}
	return errors.Join(errs...)
}

func (r reportFile) write(run result.Run, strict bool) error {
	data, err := r.Render(run, strict)
	switch {
	case err != nil:
		return err
	case r.stream != nil:
		_, err = r.stream.Write(data)
	case !r.Append:
		err = r.replace(data)
	default:
		err = r.add(data)
	}
	if err != nil {
		return fmt.Errorf("writing the report of --%s: %w", r.Flag, err)
	}
	return nil
}

// reportMode lets others read a report.
const reportMode = 0o644

// add writes at the end of a file.
func (r reportFile) add(data []byte) error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, reportMode) // reports are for others to read
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// replace puts a new version in place of the last. Where the folder takes no file beside it, such as that of a single
// mounted file, the last version is overwritten, and cut to length only then.
func (r reportFile) replace(data []byte) error {
	mode := fs.FileMode(reportMode)
	if info, err := os.Stat(r.path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.OpenFile(r.beside(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode) // reports are for others to read
	if err != nil {
		return r.overwrite(data)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		if os.Rename(f.Name(), r.path) == nil {
			return nil
		}
		err = r.overwrite(data)
	}
	return errors.Join(err, os.Remove(f.Name()))
}

func (r reportFile) overwrite(data []byte) error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY, reportMode) // reports are for others to read
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
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
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { // a file descriptor is small
		o.Color = os.Getenv("NO_COLOR") == ""
		if width, _, err := term.GetSize(int(f.Fd())); err == nil { // a file descriptor is small
			o.Width = width
		}
	}
	return o
}
