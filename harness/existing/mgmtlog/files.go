package mgmtlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Files follows log files: globs, rotation by renaming (the old file is read to its end, and watched on, since the
// writer may keep it open), truncation, and lines that are written in pieces.
type Files struct {
	patterns []string
	open     []*opened
	// Lost counts beginnings of pushes whose end never came.
	Lost int
	// taken is how many bytes were read.
	taken int64
}

type opened struct {
	path    string
	inode   uint64
	device  uint64
	file    *os.File
	offset  int64
	partial []byte
	gone    bool // its path leads to another file now
}

// maxOld is how many files that were renamed away are still watched.
const maxOld = 4

// NewFiles follows what matches the globs.
func NewFiles(patterns []string) (*Files, error) {
	for _, p := range patterns {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("log %q: %w", p, err)
		}
	}
	return &Files{patterns: patterns}, nil
}

// rounds bounds how often a poll goes through all files.
const rounds = 100

// Poll gives every complete line that was written since the last call, oldest file first. It goes on until a round
// through all files finds nothing: what is written later is younger than all that was given, in whichever file it
// stands.
func (f *Files) Poll(each func(line string)) error {
	for range rounds {
		before := f.taken
		if err := f.round(each); err != nil || f.taken == before || len(f.open) == 1 {
			return err
		}
	}
	return nil
}

func (f *Files) round(each func(line string)) error {
	paths, err := f.Paths()
	if err != nil {
		return err
	}
	current := map[*opened]bool{}
	var fresh []*opened
	for _, path := range paths {
		o, isNew, err := f.find(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated away between listing and opening
		}
		if err != nil {
			return err
		}
		current[o] = true
		if isNew {
			fresh = append(fresh, o)
		}
	}
	for _, o := range f.open {
		o.gone = !current[o]
		if err := f.read(o, each); err != nil {
			return err
		}
	}
	for _, o := range fresh {
		f.inherit(o)
		if err := f.read(o, each); err != nil {
			return err
		}
		f.open = append(f.open, o)
	}
	return f.forget()
}

// Paths are the files that match, packed ones left out, oldest first.
func (f *Files) Paths() ([]string, error) {
	var all []string
	for _, p := range f.patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("log %q: %w", p, err)
		}
		all = append(all, found...)
	}
	all = slices.DeleteFunc(all, func(p string) bool {
		switch filepath.Ext(p) {
		case ".gz", ".bz2", ".xz", ".zip", ".zst":
			return true
		}
		return false
	})
	age := map[string]int64{}
	for _, p := range all {
		if info, err := os.Stat(p); err == nil {
			age[p] = info.ModTime().UnixNano()
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return int(min(max(age[a]-age[b], -1), 1)) })
	return slices.Compact(all), nil
}

// find gives the file that is open already under any name, or opens it.
func (f *Files) find(path string) (o *opened, isNew bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, fmt.Errorf("log %s: %w", path, err)
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, false, fmt.Errorf("log %s: its file system has no inodes", path)
	}
	for _, have := range f.open {
		if have.inode == sys.Ino && have.device == sys.Dev {
			return have, false, nil
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("log %s: %w", path, err)
	}
	return &opened{path: path, inode: sys.Ino, device: sys.Dev, file: file}, true, nil
}

// inherit hands the cut line at the end of the file that had the path before to the new one: some rotate in mid-line.
func (f *Files) inherit(o *opened) {
	for _, old := range f.open {
		if old.path == o.path && len(old.partial) > 0 {
			o.partial, old.partial = old.partial, nil
		}
	}
}

// forget closes renamed files beyond the newest few.
func (f *Files) forget() error {
	var errs []error
	old := 0
	for _, o := range slices.Backward(slices.Clone(f.open)) {
		if !o.gone {
			continue
		}
		if old++; old > maxOld {
			errs = append(errs, o.file.Close())
			f.open = slices.DeleteFunc(f.open, func(other *opened) bool { return other == o })
		}
	}
	return errors.Join(errs...)
}

// Close ends with the files.
func (f *Files) Close() error {
	var errs []error
	for _, o := range f.open {
		errs = append(errs, o.file.Close())
	}
	f.open = nil
	return errors.Join(errs...)
}

// read gives what was added to a file, line by line.
func (f *Files) read(o *opened, each func(string)) error {
	info, err := o.file.Stat()
	if err != nil {
		return fmt.Errorf("log %s: %w", o.path, err)
	}
	if info.Size() < o.offset {
		// Truncated: what stood there is gone, and the line that was begun with it.
		if mayCarry(o.partial) {
			f.Lost++
		}
		o.offset, o.partial = 0, nil
	}
	if info.Size() == o.offset {
		return nil
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := o.file.ReadAt(buffer, o.offset)
		o.offset += int64(n)
		f.taken += int64(n)
		o.feed(buffer[:n], each, &f.Lost)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("log %s: %w", o.path, err)
		}
	}
}

func (o *opened) feed(data []byte, each func(string), lost *int) {
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			o.partial = append(o.partial, data...)
			return
		}
		line := data[:end]
		if len(o.partial) > 0 {
			joined := append(o.partial, line...)
			o.partial = nil
			if at := len(joined) - len(line); startsLine(joined[at:]) {
				// A line of its own follows: the one before was cut for good.
				if mayCarry(joined[:at]) {
					*lost++
				}
				joined = joined[at:]
			}
			each(string(joined))
		} else {
			each(string(line))
		}
		data = data[end+1:]
	}
}

// mayCarry says whether the beginning of a line may be that of a push.
func mayCarry(b []byte) bool {
	return bytes.Contains(b, []byte(PushWord)) || bytes.Contains(b, []byte("a.t.Request]"))
}

// startsLine says whether text begins with a log line's date.
func startsLine(b []byte) bool {
	const form = "dddd-dd-dd dd:dd:dd,"
	if len(b) < len(form) {
		return false
	}
	for i, c := range []byte(form) {
		if c == 'd' && (b[i] < '0' || b[i] > '9') || c != 'd' && b[i] != c {
			return false
		}
	}
	return true
}

// PushWord is in every line that may carry a push.
const PushWord = "LoadBalancerConfigCommand"

// Describe names what is followed.
func (f *Files) Describe() string { return strings.Join(f.patterns, ", ") }
