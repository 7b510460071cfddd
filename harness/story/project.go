package story

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/result"
)

// Project creates a project that the account administers. What is made through the answer belongs to the project, and
// is billed to an account that the server makes for it. The calls are the account's.
func (a *Account) Project(name string) *Account {
	t := a.t
	name = t.Unique(name)
	defer t.Step("project %s", name)()
	entry := t.intend("project", name, a.Name)
	t.OnRemove("project "+name, func(ctx context.Context) error {
		report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.site.Cloud,
			Scope: cleanup.Project(name)})
		if err != nil {
			return err
		}
		return report.Err()
	})
	pending, err := a.Cloud.CreateProject(t.ctx, name)
	t.Must(t.refused(entry, err), "creating project %s", name)
	t.created(entry, pending.ID, 0)
	project, err := pending.Wait(t.ctx)
	t.Must(err, "creating project %s", name)
	p := &Account{t: t, Name: name, ID: project.Id, DomainID: project.Domainid, Cloud: a.Cloud.InProject(project.Id),
		project: true}
	if t.site.DB != nil {
		p.InternalID, err = t.rows().ProjectAccount(t.ctx, name, p.DomainID)
		t.Must(err, "after a create")
	}
	t.watch.accounts = append(t.watch.accounts, p)
	return p
}

// deleteProject removes the project with all that it owns, and waits for the cleanup of its account.
func (a *Account) deleteProject() {
	t := a.t
	t.with(func(r *Rule) bool { return r.Account == a }, "delete project "+a.Name,
		func() error { return t.site.Cloud.DeleteProject(t.ctx, a.ID) })
}

// ExpectOwned expects that lists show a project's rules by its id, with the project as their owner, and nowhere else.
func (t Listings) ExpectOwned(project, administrator *Account, rules ...*Rule) {
	defer t.Step("lists of project %s", project.Name)()
	t.Checked(1)
	of := func(a *Account) (ids []string, foreign []string) {
		found, err := a.Cloud.ListLoadBalancerRules(t.ctx, nil)
		t.Must(err, "listing rules")
		for _, r := range found {
			ids = append(ids, r.Id)
			if a.project && r.Projectid != project.ID {
				foreign = append(foreign, fmt.Sprintf("%s, of project %q", r.Name, r.Projectid))
			}
		}
		slices.Sort(ids)
		return ids, foreign
	}
	var want []string
	for _, r := range rules {
		want = append(want, r.ID)
	}
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
