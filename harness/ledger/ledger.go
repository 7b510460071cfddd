package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Version is the form of the file that this package writes, and the only one that it reads.
const Version = 1

// Header says whose run it is.
type Header struct {
	Version int `json:"ledger"`
	// Run is the prefix of every object's name, "sp" and eight hexadecimal digits, so that no two runs share a name.
	Run    string `json:"run"`
	Target string `json:"target"`
	// API is the address of the API that the objects were created through.
	API     string    `json:"api"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// DefaultLate is how long a server may take to commit a create whose answer was lost. It refuses to begin with a call
// whose signature has expired, 15 minutes after it was sent (package cloud), and a call that it has begun waits at most
// 10 minutes for the database (db.cloud.maxWait=600000, client/conf/db.properties.in@4.20.0.0). A job needs no longer:
// its object is committed before the call is answered.
const DefaultLate = 25 * time.Minute

// line is one line after the header.
type line struct {
	Op      string    `json:"op"` // intend, created, refused, removed, gone
	Entry   int       `json:"entry,omitempty"`
	Kind    string    `json:"kind,omitempty"`
	Name    string    `json:"name,omitempty"`
	Account string    `json:"account,omitempty"`
	UUID    string    `json:"uuid,omitempty"`
	ID      int64     `json:"id,omitempty"`
	At      time.Time `json:"at"`
}

// Ledger is the open ledger of a live run. It is safe for concurrent use.
type Ledger struct {
	header Header
	path   string

	mu   sync.Mutex
	file *os.File
	next int
	err  error // of a write that may have been cut: nothing may be appended to half a line
}

// Folder is where ledgers are kept unless the owner names another place: $XDG_STATE_HOME or ~/.local/state, below it
// stackproof/ledger.
func Folder() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the folder of ledgers: %w; give --ledger-dir", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "stackproof", "ledger"), nil
}

const suffix = ".jsonl"

// Create opens the ledger of a new run in a folder, which is made if it is not there.
func Create(dir, target, api string) (_ *Ledger, err error) {
	clean, err := plainURL(api)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of ledgers: %w", err)
	}
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	host, _ := os.Hostname()
	h := Header{Version: Version, Run: "sp" + hex.EncodeToString(id[:]), Target: target, API: clean, Host: host,
		PID: os.Getpid(), Started: time.Now().UTC()}
	l := &Ledger{header: h, path: filepath.Join(dir, h.Run+suffix)}
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the ledger: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.file.Close(), os.Remove(l.path))
		}
	}()
	if err := lock(l.file); err != nil {
		return nil, fmt.Errorf("locking the ledger %s: %w", l.path, err)
	}
	if err := l.write(h); err != nil {
		return nil, err
	}
	return l, syncFolder(dir)
}

// plainURL takes user, password and query off an address.
func plainURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("the API's address cannot be noted in the ledger: %w", errors.Unwrap(err))
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String(), nil
}

// lock takes the file's lock without waiting.
func lock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) // a file descriptor is small
}

// syncFolder makes the file's name durable: a synced file without a name is lost with the power.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing the folder of ledgers: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing the folder of ledgers: %w", err)
	}
	return nil
}

// write appends one line and syncs it.
func (l *Ledger) write(v any) error {
	if l.err != nil {
		return l.err
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, err = l.file.Write(append(text, '\n'))
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.err = fmt.Errorf("writing the ledger %s: %w", l.path, err)
	}
	return l.err
}

// Open counts the accounts and all objects that may exist now.
func (l *Ledger) Open() (accounts, objects int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := read(l.path)
	for _, e := range r.Open() {
		objects++
		if e.Kind == Account {
			accounts++
		}
	}
	return accounts, objects, err
}

// count is a number with its word.
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// Prefix begins the name of every object of the run.
func (l *Ledger) Prefix() string { return l.header.Run }

// Path is the ledger's file.
func (l *Ledger) Path() string { return l.path }

// Intend notes, and syncs, that an object is about to be created. Account is the name of its owner, empty for what has
// none.
func (l *Ledger) Intend(kind, name, account string) (entry int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	if err := l.write(line{Op: opIntend, Entry: l.next, Kind: kind, Name: name, Account: account,
		At: time.Now().UTC()}); err != nil {
		return 0, err
	}
	return l.next, nil
}

const (
	opIntend  = "intend"
	opCreated = "created"
	opRefused = "refused"
	opRemoved = "removed"
	opGone    = "gone"
)

// Created notes the ids of an object that was created; internal is 0 where it is not known.
func (l *Ledger) Created(entry int, uuid string, internal int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(line{Op: opCreated, Entry: entry, UUID: uuid, ID: internal, At: time.Now().UTC()})
}

// Refused notes that the server turned a create down, or that it was never sent: there is no such object and will be
// none.
func (l *Ledger) Refused(entry int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(line{Op: opRefused, Entry: entry, At: time.Now().UTC()})
}

// Removed notes that an object is gone.
func (l *Ledger) Removed(uuid string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(line{Op: opRemoved, UUID: uuid, At: time.Now().UTC()})
}

// Gone notes that a look at the target found nothing left of an account, neither it nor anything of its own, or nothing
// of a domain that the run made. An account whose create may still be committed stays open, unless the domain is gone
// in which it would be: the server refuses it then (AccountManagerImpl.java@4.20.0.0, createUserAccount).
func (l *Ledger) Gone(account string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(line{Op: opGone, Account: account, At: time.Now().UTC()})
}

// Close ends the run: the file is removed when nothing that it names may exist any more, else it stays for cleanup.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	r, err := read(l.path)
	errs := []error{err}
	if left := r.Open(); err == nil && len(left) > 0 {
		errs = append(errs, fmt.Errorf("%s may be left on %s: stackproof cleanup --target %s removes what %s names%s",
			count(len(left), "object"), l.header.API, l.header.Target, l.path, r.until(time.Now())))
	} else if err == nil {
		errs = append(errs, os.Remove(l.path))
	}
	errs = append(errs, l.file.Close())
	l.file = nil
	return errors.Join(errs...)
}
