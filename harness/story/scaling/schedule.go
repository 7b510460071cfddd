package scaling

import (
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// ExpectSchedules expects that the API lists the schedules that a group was given, and no others.
func (t Scaling) ExpectSchedules(g *objects.Group) {
	defer t.Step("schedules of %s", g.Name)()
	t.Checked(1)
	have, refusal := g.ListedSchedules()
	want := slices.Sorted(slices.Values(g.Schedules()))
	if slices.Sort(have); refusal != nil || !slices.Equal(have, want) {
		t.Fail(result.NotListed, fmt.Sprintf("group %s has schedules %v, the API lists %v (%v)", g.Name, want, have,
			refusal))
	}
}

// ExpectNoSchedules expects that the schedules of a group went with it: none is listed, and none was found without its
// group when its time came.
func (t Scaling) ExpectNoSchedules(g *objects.Group) {
	defer t.Step("no schedules of %s", g.Name)()
	t.Checked(1)
	if left, _ := g.ListedSchedules(); len(left) > 0 {
		t.Fail(result.StillListed, fmt.Sprintf("group %s is deleted, and its schedules %v are listed", g.Name, left))
	}
	for _, s := range g.Schedules() {
		if told := g.TellsOf(s, "SCHEDULE.UPDATE"); told != "" {
			t.Fail(result.StillListed, fmt.Sprintf("group %s is deleted, and a schedule of it acts: %s", g.Name, told))
		}
	}
}
