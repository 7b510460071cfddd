package audit

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// checkpointKind begins a checkpoint, so that another file is not taken for one.
const checkpointKind = "stackproof audit checkpoint 1"

// checkpointEvery is how much work a killed audit loses at most, beside its rows and events.
const checkpointEvery = 10 * time.Second

// checkpoint is how far the records are counted. Records are by far the most of a site, and their rows never change;
// rows, events and what lives are read anew by whoever continues, so that a result is always of one moment.
type checkpoint struct {
	Kind        string
	Fingerprint string
	Columns     []string // what was read of each record
	First, Last int64    // ids of the first record that there was, and of the last one counted
	Counted     counted
}

// progress keeps a checkpoint in a file while records are counted.
type progress struct {
	path    string
	state   checkpoint
	written time.Time
}

// records counts all records, and continues from a checkpoint where there is one.
func (a *accounting) records(ctx context.Context, path string, meter *meter) error {
	first, err := a.usage.firstRecord(ctx)
	if err != nil {
		return err
	}
	p := &progress{path: path, written: time.Now()}
	p.state = checkpoint{
		Kind: checkpointKind, Fingerprint: a.result.Site.Fingerprint, Columns: a.recordColumns(), First: first,
	}
	if path != "" {
		old, err := readCheckpoint(path)
		if err != nil {
			return err
		}
		if err := a.proceed(ctx, p, old); err != nil {
			return err
		}
		meter.add(p.state.Last)
	}
	err = a.pass(ctx, p.state.Last, func(last int64) error {
		p.state.Last = last
		if path == "" || time.Since(p.written) < checkpointEvery {
			return nil
		}
		return p.write(&a.counted)
	})
	switch {
	case path == "":
		return err
	case err == nil:
		return p.remove()
	}
	if kept := p.write(&a.counted); kept != nil {
		return errors.Join(err, kept)
	}
	return fmt.Errorf("%w (records up to id %d are counted: the same --resume %s continues from there)",
		err, p.state.Last, path)
}

// proceed takes over what a checkpoint has counted, unless the records are not those of then.
func (a *accounting) proceed(ctx context.Context, p *progress, old *checkpoint) error {
	switch {
	case old == nil:
		return nil
	case old.Fingerprint != p.state.Fingerprint:
		return badInput(fmt.Errorf("--resume %s is of site %s, this is site %s: name another file",
			p.path, old.Fingerprint, p.state.Fingerprint))
	case old.First != p.state.First:
		a.note("--resume %s: old records were removed since, so all are counted anew", p.path)
		return nil
	case !slices.Equal(old.Columns, p.state.Columns):
		a.note("--resume %s: the columns of records are others now, so all are counted anew", p.path)
		return nil
	}
	lines := a.Lines
	a.counted, p.state.Last = old.Counted, old.Last
	a.Lines = lines
	var late []*moneyLine
	accounts := map[uint32]bool{}
	for k, line := range lines {
		was := old.Counted.Lines[k]
		if was == nil || !slices.Equal(was.Lives, line.Lives) {
			late, accounts[k.Account] = append(late, line), true
			continue
		}
		was.finding = line.finding
		*line = *was
	}
	if len(late) > 0 {
		return a.late(ctx, late, accounts, old.Last)
	}
	return nil
}

// late bills the findings that are new since the checkpoint: the records of their accounts are read again.
func (a *accounting) late(ctx context.Context, late []*moneyLine, accounts map[uint32]bool, last int64) error {
	type once struct {
		from, to    usageprobe.Moment
		fingerprint uint64
	}
	wanted := map[*moneyLine]bool{}
	for _, line := range late {
		wanted[line] = true
	}
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		seen := map[once]bool{}
		var reader recordReader
		where := fmt.Sprintf("account_id = %d AND t.id <= %d", account, last)
		err := a.usage.scan(ctx, "cloud_usage", a.recordColumns(), where, func(id int64, f *fields) error {
			r := reader.parse(id, f)
			key := once{r.from, r.to, r.fingerprint}
			if line := a.Lines[r.key()]; wanted[line] && !seen[key] {
				line.bill(&r)
			}
			seen[key] = true
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *accounting) note(format string, args ...any) {
	a.result.Notes = append(a.result.Notes, fmt.Sprintf(format, args...))
}

// readCheckpoint answers nil when there is no such file.
func readCheckpoint(path string) (_ *checkpoint, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, badInput(fmt.Errorf("--resume: %w", err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var c checkpoint
	if err := gob.NewDecoder(bufio.NewReader(f)).Decode(&c); err != nil || c.Kind != checkpointKind {
		return nil, badInput(fmt.Errorf("--resume %s is no checkpoint of an audit, or is damaged: "+
			"remove it to begin anew, or name another file", path))
	}
	return &c, nil
}

// CheckResume says whether a checkpoint can be kept there, before any work is done.
func CheckResume(path string) error {
	if _, err := readCheckpoint(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return badInput(fmt.Errorf("--resume: %w", err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// write puts the file in place whole, or leaves the former one.
func (p *progress) write(c *counted) (err error) {
	p.state.Counted, p.written = *c, time.Now()
	f, err := os.CreateTemp(filepath.Dir(p.path), filepath.Base(p.path)+".*")
	if err != nil {
		return fmt.Errorf("keeping a checkpoint: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keeping a checkpoint: %w", errors.Join(err, os.Remove(f.Name())))
		}
	}()
	w := bufio.NewWriter(f)
	if err := errors.Join(gob.NewEncoder(w).Encode(p.state), w.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), p.path)
}

// remove drops the checkpoint of an audit that is complete.
func (p *progress) remove() error {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the checkpoint: %w", err)
	}
	return nil
}
