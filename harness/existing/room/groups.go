package room

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// memoryCapacity is the capacity type of the hosts' memory, in bytes (Capacity.java@4.20.0.0).
const memoryCapacity = 0

// Measure measures how many of the smallest instances fit into the zone, where the sizes of L-04's populations are
// not given. Groups that do not fit are worse than none: they create and expunge instances without end (before 4.20.2),
// and leave no room for other scenarios (confirmed.md 29).
func (r *Room) Measure(ctx context.Context) error {
	r.Slots, r.answer = -1, r.Cloud.Pacer().Stats().Answer
	if r.Config.Groups != nil || r.ZoneID == "" {
		return nil
	}
	free, err := r.free(ctx, memoryCapacity)
	if err != nil || free < 0 {
		return err
	}
	offerings, err := r.Cloud.ListServiceOfferings(ctx, nil)
	if err != nil {
		return fmt.Errorf("listing service offerings: %w", err)
	}
	var size int64
	for _, o := range offerings {
		named := r.Config.ServiceOffering
		if named == "" && o.Iscustomized || named != "" && o.Name != named && o.Id != named || o.Memory <= 0 {
			continue
		}
		if memory := int64(o.Memory) << 20; size == 0 || memory < size {
			size = memory
		}
	}
	if size > 0 {
		r.Slots = free / size
	}
	return nil
}

// What a population costs: a group's rule, the group and its policy are one create each with at least one look for its
// job, and its members are looked for.
const (
	callsOfGroup   = 8
	populationTime = 10 * time.Minute
)

// Groups are the sizes of L-04's populations that a run has room and time for.
func (r *Room) Groups(scenarios int) []int {
	if r.Config.Groups != nil {
		return r.Config.Groups
	}
	sizes := r.fitting(scenarios)
	all := sizes
	if all == nil {
		all = harness.DefaultGroups()
	}
	quick := slices.DeleteFunc(slices.Clone(all), r.tooLong)
	if len(quick) == len(all) {
		return sizes
	}
	return quick
}

// tooLong says whether a population takes too long to make on a server that answers as this one does, if its calls come
// one after another, as a busy server's pacer has it. The smallest one that shows anything never does.
func (r *Room) tooLong(size int) bool {
	return size > 2 && time.Duration(size)*callsOfGroup*r.answer > populationTime
}

// fitting are the sizes that there is room for: all of the zone's for the scenario alone, else a third. The
// populations, of two instances a group, live at the same time. Nil where the room is not known.
func (r *Room) fitting(scenarios int) []int {
	if r.Slots < 0 {
		return nil
	}
	room := r.Slots / 3
	if scenarios == 1 {
		room = r.Slots * 9 / 10
	}
	sizes := []int{2}
	room -= 2 * 2
	for _, n := range []int{10, 50} {
		if room -= int64(2 * n); room >= 0 {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

// Note says which populations were left out, and why.
func (r *Room) Note(run result.Run, chosen int) (notes []string) {
	sizes := r.Groups(chosen)
	if r.Config.Groups != nil || len(sizes) == 0 || slices.Contains(sizes, 50) ||
		!slices.ContainsFunc(run.Results, func(c result.Case) bool { return c.ID == "L-04" }) {
		return nil
	}
	fitting := r.fitting(chosen)
	if fitting != nil && !slices.Contains(fitting, 50) {
		notes = append(notes, fmt.Sprintf("L-04 made populations of %v groups only: the zone had room for %d of the "+
			"smallest instances; add hosts, run it alone, or say what fits (--groups)", sizes, r.Slots))
	}
	if fitting == nil || len(sizes) < len(fitting) {
		largest := slices.Max(sizes)
		notes = append(notes, fmt.Sprintf("L-04 made %d groups at most: a call takes %s, and a larger population some "+
			"%d calls for each of its groups, more than %s in all; --groups makes it", largest,
			r.answer.Round(100*time.Millisecond), callsOfGroup, populationTime))
	}
	return notes
}

// free is how much of a capacity the zone has left; -1 where the server does not tell.
func (r *Room) free(ctx context.Context, typ int) (int64, error) {
	total, used, err := r.capacity(ctx, r.ZoneID, typ)
	if err != nil || total < 0 {
		return -1, err
	}
	return max(0, total-used), nil
}

// capacity asks for one capacity of a zone. A server that does not list it answers -1.
func (r *Room) capacity(ctx context.Context, zone string, typ int) (total, used int64, err error) {
	var list struct {
		Capacity []struct {
			Type                        int
			CapacityTotal, CapacityUsed json.Number
		}
	}
	err = r.Cloud.Call(ctx, "listCapacity", cloud.Params{"zoneid": zone, "type": typ, "fetchlatest": "true"}, &list)
	if cloud.IsUnsupported(err) || cloud.IsUnauthorized(err) {
		return -1, 0, nil
	}
	if err != nil {
		return -1, 0, fmt.Errorf("asking for the zone's capacity: %w", err)
	}
	for _, c := range list.Capacity {
		total, err1 := c.CapacityTotal.Int64()
		used, err2 := c.CapacityUsed.Int64()
		if c.Type == typ && err1 == nil && err2 == nil {
			return total, used, nil
		}
	}
	return -1, 0, nil
}
