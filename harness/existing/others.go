package existing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/harness/ledger"
)

// others are the runs of this user on this machine that are at work in the same zone, such as the shards of one run. A
// scenario that has the zone for itself, since it makes all pushes fail, waits for theirs too, and they for it. What
// holds them apart is a lock on a file, which goes with its process. A nil one knows of nobody.
type others struct{ file *os.File }

// openOthers opens the lock of a zone.
func openOthers(api, zone string) (*others, error) {
	folder, err := ledger.Folder()
	if err != nil {
		return nil, err
	}
	folder = filepath.Join(filepath.Dir(folder), "zones")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of zones' locks: %w", err)
	}
	sum := sha256.Sum256([]byte(strings.TrimSuffix(api, "/") + " " + zone))
	path := filepath.Join(folder, hex.EncodeToString(sum[:8])+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a zone's lock: %w", err)
	}
	return &others{file}, nil
}

// minded has a target take other runs in its zone into account, where pushes can be made to fail.
func minded(t *Target) {
	if !t.simulated {
		return
	}
	o, err := openOthers(t.cloud.URL(), t.room.ZoneID)
	if err != nil {
		t.notes = append(t.notes, fmt.Sprintf("other runs in this zone are not taken into account: %v", err))
		return
	}
	t.gate.others = o
	t.onClose("leaving the zone to other runs", func(context.Context) error { return o.close() })
}

// join says whether one may work beside the others: nobody has the zone for itself.
func (o *others) join() bool { return o.lock(unix.LOCK_SH) }

// exclude says whether one has the zone for oneself: no other run works.
func (o *others) exclude() bool { return o.lock(unix.LOCK_EX) }

func (o *others) lock(how int) bool {
	return o == nil || unix.Flock(int(o.file.Fd()), how|unix.LOCK_NB) == nil // a file descriptor is small
}

// leave lets the others go on.
func (o *others) leave() {
	if o != nil {
		_ = unix.Flock(int(o.file.Fd()), unix.LOCK_UN) // of a lock that is held there is no error
	}
}

func (o *others) close() error { return o.file.Close() }
