package answers

import (
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// ExpectOwned expects that lists show a project's rules by its id, with the project as their owner, and nowhere else.
func (t Listings) ExpectOwned(project, administrator *objects.Account, rules ...*objects.Rule) {
	defer t.Step("lists of project %s", project.Name)()
	t.Checked(1)
	of := func(a *objects.Account) (ids []string, foreign []string) {
		found, err := a.Cloud.ListLoadBalancerRules(t.ctx, nil)
		t.Must(err, "listing rules")
		for _, r := range found {
			ids = append(ids, r.Id)
			if a.IsProject() && r.Projectid != project.ID {
				foreign = append(foreign, fmt.Sprintf("%s, of project %q", r.Name, r.Projectid))
			}
		}
		slices.Sort(ids)
		return ids, foreign
	}
	want := stage.Each(rules, func(r *objects.Rule) string { return r.ID })
	slices.Sort(want)
	got, foreign := of(project)
	own, _ := of(administrator)
	mixed := slices.DeleteFunc(slices.Clone(own), func(id string) bool { return !slices.Contains(want, id) })
	evidence := result.Evidence{Kind: result.KindNote, Title: "listLoadBalancerRules",
		Text: fmt.Sprintf("of the project: %v\nby projectid: %v\nwithout: %v", want, got, own)}
	if !slices.Equal(got, want) || len(foreign) > 0 {
		t.Fail(result.WrongListing, fmt.Sprintf("listLoadBalancerRules by projectid shows %d rules of project %s, "+
			"which has %d; not the project's: %v", len(got), project.Name, len(want), foreign), evidence)
	}
	if len(mixed) > 0 {
		t.Fail(result.WrongListing, fmt.Sprintf("listLoadBalancerRules shows %d rules of project %s among its "+
			"administrator's own", len(mixed), project.Name), evidence)
	}
}
