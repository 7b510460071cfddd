package story

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
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
		report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.site.Cloud, Scope: cleanup.Project(name)})
		if err := errors.Join(err, report.Err()); err != nil || t.site.Ledger == nil {
			return err
		}
		return t.site.Ledger.Gone(name)
	})
	project := a.createProject(entry, name)
	p := &Account{t: t, Name: name, ID: project.Id, DomainID: project.Domainid, Cloud: a.Cloud.InProject(project.Id),
		project: true}
	if t.site.DB != nil {
		var err error
		p.InternalID, err = t.rows().ProjectAccount(t.ctx, name, p.DomainID)
		t.Must(err, "looking for the account of project %s", name)
	}
	t.watch.accounts = append(t.watch.accounts, p)
	return p
}

// createProject makes a project while no other scenario makes an account: the server makes one for it. Where accounts
// may have no projects, the story has nothing to tell.
func (a *Account) createProject(entry int, name string) *cloud.Project {
	t := a.t
	give, err := t.site.Accounts.Take(t.ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	pending, err := a.Cloud.CreateProject(t.ctx, name)
	err = t.refused(entry, err)
	if cloud.IsDenied(err) || cloud.IsUnauthorized(err) || cloud.IsUnsupported(err) {
		t.Unsupported("accounts of this site may make no projects: %v", err)
	}
	t.Must(err, "creating project %s", name)
	t.created(entry, pending.ID, 0)
	project, err := pending.Wait(t.ctx)
	t.Must(err, "creating project %s", name)
	return project
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
