package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SimulatorMock is the kind of a rule of the simulator hypervisor, named by its zone and agent command. Nothing lists
// such rules, and one that a killed run left goes on to make somebody's commands fail.
const SimulatorMock = "simulator mock"

// Kinds that own others.
const (
	Account = "account"
	Domain  = "domain"
)

// Entry is one object that a run was about to create.
type Entry struct {
	Number  int
	Kind    string
	Name    string
	Account string
	// UUID is empty when the create's answer was not noted: the object may or may not exist.
	UUID string
	// ID is the internal id, 0 where it is not known.
	ID int64
	At time.Time
	// Removed says that the object was seen to go.
	Removed bool
	// Missed is when a look did not find what had been asked for without an answer.
	Missed time.Time
}

// Record is a ledger that was read.
type Record struct {
	Header
	Path    string
	Entries []Entry
	// Late is for how long a server may still commit a create that nobody saw the answer of; read as DefaultLate.
	Late time.Duration
	lock *os.File
}

// Open are the entries that may still exist, in the order in which they were noted.
func (r Record) Open() []Entry {
	return slices.DeleteFunc(slices.Clone(r.Entries), func(e Entry) bool {
		return e.Removed || !e.Missed.IsZero() && !e.Missed.Before(e.At.Add(r.Late))
	})
}

// Unsettled are the creates of domains and accounts whose outcome nobody saw and that the server may still commit at a
// time, with the time when it cannot any more. What was to be made inside an account needs no waiting: it goes with the
// account.
func (r Record) Unsettled(now time.Time) (open []Entry, until time.Time) {
	for _, e := range r.Open() {
		if end := e.At.Add(r.Late); e.UUID == "" && (e.Kind == Account || e.Kind == Domain) && now.Before(end) {
			open = append(open, e)
			if end.After(until) {
				until = end
			}
		}
	}
	return open, until
}

// until says when the server cannot commit a create any more whose outcome is not known; empty when all are known.
func (r Record) until(now time.Time) string {
	open, until := r.Unsettled(now)
	if len(open) == 0 {
		return ""
	}
	return fmt.Sprintf("; the server may commit %s %s until %s", open[0].Kind, open[0].Name,
		until.Local().Format(time.TimeOnly))
}

// ErrLive says that the ledger's run is alive.
var ErrLive = errors.New("the run is alive")

// Dead takes over the ledger of a dead run: the lock is held until Release. Of a run that lives it is ErrLive.
func Dead(path string) (_ *Record, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a ledger: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	switch err := lock(f); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, fmt.Errorf("%s: %w", path, ErrLive)
	case err != nil:
		return nil, fmt.Errorf("locking the ledger %s: %w", path, err)
	}
	r, err := read(path)
	if err != nil {
		return nil, err
	}
	r.lock = f
	return &r, nil
}

// Release gives the lock back; the file is removed when done is true.
func (r *Record) Release(done bool) error {
	var errs []error
	if done {
		errs = append(errs, os.Remove(r.Path))
	}
	return errors.Join(append(errs, r.lock.Close())...)
}

// List are the files of a folder; a folder that is not there has none.
func List(dir string) ([]string, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the folder of ledgers: %w", err)
	}
	var all []string
	for _, f := range found {
		if f.Type().IsRegular() && strings.HasSuffix(f.Name(), suffix) {
			all = append(all, filepath.Join(dir, f.Name()))
		}
	}
	return all, nil
}

// read takes a ledger from its file.
func read(path string) (Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Record{}, fmt.Errorf("reading a ledger: %w", err)
	}
	return parse(path, data)
}

// parse takes a ledger from its text. A last line without its end was never synced, so its call was not made.
func parse(path string, data []byte) (r Record, err error) {
	r = Record{Path: path, Late: DefaultLate}
	if end := bytes.LastIndexByte(data, '\n'); end >= 0 {
		data = data[:end]
	} else {
		return r, nil // the run died while it wrote the header: it had made no call
	}
	for i, text := range bytes.Split(data, []byte("\n")) {
		if i == 0 {
			err = json.Unmarshal(text, &r.Header)
			if err == nil && r.Version != Version {
				err = fmt.Errorf("version %d, this program reads %d", r.Version, Version)
			}
		} else {
			err = r.take(text)
		}
		if err != nil {
			return r, fmt.Errorf("%s:%d: not a line of a ledger: %w", path, i+1, err)
		}
	}
	return r, nil
}

// take adds one line.
func (r *Record) take(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	switch l.Op {
	case opIntend:
		r.Entries = append(r.Entries, Entry{Number: l.Entry, Kind: l.Kind, Name: l.Name, Account: l.Account, At: l.At})
	case opCreated:
		for i := range r.Entries {
			if r.Entries[i].Number == l.Entry {
				r.Entries[i].UUID, r.Entries[i].ID = l.UUID, l.ID
			}
		}
	case opRefused:
		for i := range r.Entries {
			if r.Entries[i].Number == l.Entry {
				r.Entries[i].Removed = true
			}
		}
	case opRemoved:
		for i := range r.Entries {
			if strings.EqualFold(r.Entries[i].UUID, l.UUID) {
				r.Entries[i].Removed = true
			}
		}
	case opGone:
		r.gone(l.Account, l.At)
	default:
		return fmt.Errorf("unknown op %q", l.Op)
	}
	return nil
}

// gone closes what went with an account or a domain.
func (r *Record) gone(name string, at time.Time) {
	domain := slices.ContainsFunc(r.Entries, func(e Entry) bool { return e.Kind == Domain && e.Name == name })
	for i := range r.Entries {
		e := &r.Entries[i]
		switch {
		case e.Name == name && (e.Kind == Account || e.Kind == Domain):
			// Nothing was found of it, which says nothing of a create that is still on its way.
			e.Removed, e.Missed = e.Removed || e.UUID != "", at
		case e.Account == name, domain && e.Kind != SimulatorMock && e.Account != "":
			e.Removed = true
		}
	}
}
