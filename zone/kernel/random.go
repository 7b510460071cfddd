package kernel

import (
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// Random makes what a server makes by chance; it repeats itself under one seed.
type Random struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newRandom(seed int64) *Random {
	return &Random{rand: rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15))}
}

// UUID is a new identifier.
func (r *Random) UUID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b [16]byte
	for i := range b {
		b[i] = byte(r.rand.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid.UUID(b).String()
}

// Number is a random number in [0,n).
func (r *Random) Number(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.IntN(n)
}

// Hex is n random hexadecimal digits.
func (r *Random) Hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[r.Number(len(digits))]
	}
	return string(b)
}
