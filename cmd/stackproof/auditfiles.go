package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/audit"
)

// auditDocument is one form of an audit's result.
type auditDocument struct {
	flag, help string
	make       func(*audit.Result) ([]byte, error)
	path       string
}

// auditDocuments are the files that an audit is written to.
type auditDocuments struct{ all []*auditDocument }

func (d *auditDocuments) add(f *pflag.FlagSet) {
	d.all = []*auditDocument{
		{
			flag: "json",
			help: "write the result as JSON: every finding, and what compare reads",
			make: func(r *audit.Result) ([]byte, error) {
				var b bytes.Buffer
				err := r.Encode(&b)
				return b.Bytes(), err
			},
		},
		{flag: "csv", help: "write one line a finding as CSV", make: (*audit.Result).CSV},
		{
			flag: "money",
			help: "write hours billed too much and too little, by account, month and usage type, as CSV",
			make: (*audit.Result).MoneyCSV,
		},
		{flag: "html", help: "write the result as one HTML page", make: (*audit.Result).HTML},
		{flag: "junit", help: "write JUnit XML, one case a check", make: (*audit.Result).JUnit},
		{
			flag: "metrics",
			help: "write numbers for monitoring in the OpenMetrics text format",
			make: func(r *audit.Result) ([]byte, error) {
				return r.Metrics(), nil
			},
		},
	}
	for _, one := range d.all {
		f.StringVar(&one.path, one.flag, "", one.help)
	}
}

// check finds a wrong path before the audit.
func (d *auditDocuments) check() error {
	seen := map[string]string{}
	for _, one := range d.all {
		if one.path == "" {
			continue
		}
		if one.path == "-" {
			return usage("--%s - is no file; name one (/dev/stdout for standard output)", one.flag)
		}
		if other := seen[filepath.Clean(one.path)]; other != "" {
			return usage("--%s and --%s name the same file", other, one.flag)
		}
		seen[filepath.Clean(one.path)] = one.flag
		if err := writable(one.path); err != nil {
			return usage("--%s: %w", one.flag, err)
		}
	}
	return nil
}

// writable tries whether writeWhole can write a path, and changes nothing.
func writable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder; name a file in it", path)
	case err == nil:
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil || !info.Mode().IsRegular() {
			return err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (d *auditDocuments) write(r *audit.Result) error {
	var errs []error
	for _, one := range d.all {
		if one.path == "" {
			continue
		}
		data, err := one.make(r)
		if err == nil {
			err = writeWhole(one.path, data)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", one.flag, err))
		}
	}
	return errors.Join(errs...)
}

// down tells monitoring that the site could not be audited.
func (d *auditDocuments) down() error {
	for _, one := range d.all {
		if one.flag == "metrics" && one.path != "" {
			return writeWhole(one.path, audit.MetricsDown())
		}
	}
	return nil
}

// writeWhole writes a file so that nobody ever reads half of it: under another name first. What is no ordinary file
// (/dev/stdout) is written as it is.
func writeWhole(path string, data []byte) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil { // reports are for others to read
		return err
	}
	return os.Rename(f.Name(), path)
}
