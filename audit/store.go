package audit

import (
	"cmp"
	"maps"
	"slices"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// A site has many millions of events, so what is kept of each is a few words without pointers, in chunks that are never
// copied. Each event and row names the one before it of the same resource.

// chunk is how many entries are allocated at once.
const chunk = 1 << 16

// chunks is a list that grows without moving what it holds. Position 0 is never used: it stands for "none".
type chunks[T any] struct {
	parts [][]T
	n     uint32
}

func (c *chunks[T]) add(v T) uint32 {
	if c.n == 0 {
		c.n = 1
	}
	if int(c.n/chunk) == len(c.parts) {
		c.parts = append(c.parts, make([]T, chunk))
	}
	at := c.n
	c.parts[at/chunk][at%chunk] = v
	c.n++
	return at
}

func (c *chunks[T]) at(i uint32) *T { return &c.parts[i/chunk][i%chunk] }

func (c *chunks[T]) len() int { return max(0, int(c.n)-1) }

// happening is an event of a resource: 16 bytes.
type happening struct {
	before uint32
	at     uint32
	idAct  uint64 // act in the upper 8 bits
}

// metering is a helper row: 16 bytes.
type metering struct {
	before, id     uint32
	opened, closed uint32
}

// key names a resource of a kind. account is 0 for kinds whose rows are closed whatever their account.
type key struct{ account, id, part uint32 }

type resource struct {
	key
	owner  uint32 // the account of its newest row or event
	event  uint32
	row    uint32
	offer  uint32 // network offering of a NIC
	life   usageprobe.Life
	hasRow bool
}

// store is all resources of one kind.
type store struct {
	usageprobe.Meter
	number    int
	index     map[key]uint32
	parts     map[key][]uint32 // of the volumes that a VM is billed for: all VMs of a volume
	resources chunks[resource]
	liveRead  bool // cloud was read: who is not there is dead
	events    *chunks[happening]
	rows      chunks[metering]
}

func (s *store) find(k key) *resource {
	if i, found := s.index[k]; found {
		return s.resources.at(i)
	}
	return nil
}

func (s *store) get(k key) *resource {
	if i, found := s.index[k]; found {
		return s.resources.at(i)
	}
	i := s.resources.add(resource{key: k})
	s.index[k] = i
	if s.PartOf == usageprobe.PartVM {
		whole := key{account: k.account, id: k.id}
		s.parts[whole] = append(s.parts[whole], i)
	}
	return s.resources.at(i)
}

func (s *store) key(account, id, part uint32) key {
	if s.AnyAccount {
		account = 0
	}
	return key{account, id, part}
}

// events of a resource that lie together, newest first.
func (s *store) happenings(r *resource, into []usageprobe.Happening) []usageprobe.Happening {
	for i := r.event; i != 0; {
		h := s.events.at(i)
		into = append(
			into,
			usageprobe.Happening{
				ID:  int64(h.idAct << 8 >> 8),
				At:  usageprobe.Moment(h.at),
				Act: usageprobe.Act(h.idAct >> 56),
			},
		)
		i = h.before
	}
	return into
}

func (s *store) meterings(r *resource, into []usageprobe.Metering) []usageprobe.Metering {
	for i := r.row; i != 0; {
		m := s.rows.at(i)
		into = append(
			into,
			usageprobe.Metering{
				ID:     int64(m.id),
				Opened: usageprobe.Moment(m.opened),
				Closed: usageprobe.Moment(m.closed),
			},
		)
		i = m.before
	}
	return into
}

// ordered are the positions of all resources in order of account, id and part.
func (s *store) ordered() []uint32 {
	all := make([]uint32, 0, s.resources.len())
	for i := uint32(1); i < s.resources.n; i++ {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b uint32) int {
		x, y := s.resources.at(a), s.resources.at(b)
		return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.id, y.id), cmp.Compare(x.part, y.part))
	})
	return all
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
