package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
)

// Shard is one of several parts of a run that go at once, each with a target of its own. Index counts from 0, as the
// completion index of a Kubernetes Job does.
type Shard struct{ Index, Of int }

// ParseShard reads "i/n".
func ParseShard(s string) (Shard, error) {
	left, right, found := strings.Cut(s, "/")
	i, err := strconv.Atoi(left)
	n, err2 := strconv.Atoi(right)
	switch {
	case !found || err != nil || err2 != nil || n < 1 || i < 0:
		return Shard{}, fmt.Errorf("shard %q is not i/n: give for instance 0/3, 1/3 and 2/3 to three runs", s)
	case i >= n:
		return Shard{}, fmt.Errorf("shard %q: shards count from 0, so the last of %d is %d/%d", s, n, n-1, n)
	}
	return Shard{i, n}, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Durations are seconds of one repeat of a scenario, by id.
type Durations map[string]float64

// DurationsOf takes them from an earlier run. Scenarios that the target did not support took no time there and are left
// out.
func DurationsOf(r result.Run) Durations {
	d := Durations{}
	for _, c := range r.Results {
		if c.Verdict != result.Unsupported && c.Seconds > 0 {
			d[c.ID] = c.Seconds / float64(max(1, c.Repeats))
		}
	}
	return d
}

// Split divides the catalogue: each scenario is in exactly one of n parts, in the catalogue's order, and equal input
// gives equal parts. The longest is dealt first, each to the part that has least so far. A scenario that was not
// measured counts as the median of those that were; without any measure its Weight counts.
func (c Catalogue) Split(n int, measured Durations) []Catalogue {
	cost := c.costs(measured)
	order := make([]int, len(c))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case cost[a] > cost[b]:
			return -1
		case cost[a] < cost[b]:
			return 1
		}
		return 0
	})
	load, of := make([]float64, n), make([]int, len(c))
	for _, i := range order {
		least := 0
		for p := range load {
			if load[p] < load[least] {
				least = p
			}
		}
		of[i] = least
		load[least] += cost[i]
	}
	parts := make([]Catalogue, n)
	for i, s := range c {
		parts[of[i]] = append(parts[of[i]], s)
	}
	return parts
}

func (c Catalogue) costs(measured Durations) []float64 {
	var known []float64
	for _, s := range c {
		if d, ok := measured[s.ID]; ok {
			known = append(known, d)
		}
	}
	cost := make([]float64, len(c))
	if len(known) == 0 {
		for i, s := range c {
			cost[i] = float64(max(0, s.Weight)) + 1
		}
		return cost
	}
	slices.Sort(known)
	median := known[len(known)/2]
	for i, s := range c {
		if d, ok := measured[s.ID]; ok {
			cost[i] = d
		} else {
			cost[i] = median
		}
	}
	return cost
}
