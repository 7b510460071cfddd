package objects

import (
	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
)

// Project creates a project that the account administers. What is made through the answer belongs to the project, and
// is billed to an account that the server makes for it. The calls are the account's.
func (a *Account) Project(name string) *Account {
	t := a.t
	name = t.Unique(name)
	defer t.Step("project %s", name)()
	entry := t.intend("project", name, a.Name)
	t.onRemove("project", name, cleanup.Project(name))
	project := a.createProject(entry, name)
	p := &Account{t: t, Name: name, ID: project.Id, DomainID: project.Domainid, Cloud: a.Cloud.InProject(project.Id),
		project: true}
	if t.Site.DB != nil {
		var err error
		p.InternalID, err = t.Usage().ProjectAccount(t.Ctx, name, p.DomainID)
		t.Must(err, "looking for the account of project %s", name)
	}
	t.Take(p)
	return p
}

// createProject makes a project while no other scenario makes an account: the server makes one for it. Where accounts
// may have no projects, the story has nothing to tell.
func (a *Account) createProject(entry int, name string) *cloud.Project {
	t := a.t
	give, err := t.Site.Accounts.Take(t.Ctx)
	t.Must(err, "waiting for other scenarios' accounts")
	defer give()
	pending, err := a.Cloud.CreateProject(t.Ctx, name)
	err = t.refused(entry, err)
	if cloud.IsDenied(err) || cloud.IsUnauthorized(err) || cloud.IsUnsupported(err) {
		t.Unsupported("accounts of this site may make no projects: %v", err)
	}
	t.Must(err, "creating project %s", name)
	t.created(entry, pending.ID, 0)
	project, err := pending.Wait(t.Ctx)
	t.Must(err, "creating project %s", name)
	return project
}

// deleteProject removes the project with all that it owns, and waits for the cleanup of its account.
func (a *Account) deleteProject() {
	t := a.t
	t.with(func(r *Rule) bool { return r.Account == a }, "delete project "+a.Name,
		func() error { return t.Site.Cloud.DeleteProject(t.Ctx, a.ID) })
}

// Domain is a domain of the scenario's own, below that in which its accounts lie by default.
type Domain struct {
	t        *Cast
	ID, Name string
}

// NewDomain creates a domain; it and all it holds are removed at the end.
func (m Making) NewDomain() *Domain { return m.t.newDomain(m.t.Site.DomainID) }

// NewDomain creates a domain below.
func (d *Domain) NewDomain() *Domain { return d.t.newDomain(d.ID) }

// NewAccount creates an account in the domain.
func (d *Domain) NewAccount() *Account { return d.t.newAccountIn(d.ID, "") }

func (t *Cast) newDomain(parent string) *Domain {
	d := &Domain{t: t, Name: t.Unique("domain")}
	defer t.Step("domain %s", d.Name)()
	entry := t.intend(string(ledger.Domain), d.Name, "")
	t.onRemove("domain", d.Name, cleanup.OfLedger([]ledger.Entry{{Kind: ledger.Domain, Name: d.Name}}))
	made, err := t.Site.Cloud.CreateDomain(t.Ctx, d.Name, parent)
	t.Must(t.refused(entry, err), "creating domain %s", d.Name)
	d.ID = made.Id
	t.created(entry, d.ID, 0)
	if !t.Site.KeepLimits {
		t.Must(t.Site.Cloud.LiftLimits(t.Ctx, d.ID, ""), "domain %s", d.Name)
	}
	return d
}

// Events are those of a type that listEvents shows of the account.
func (a *Account) Events(kind string) []*cloud.Event {
	filter := a.ByName()
	filter["type"] = kind
	events, err := a.t.Site.Cloud.ListEvents(a.t.Ctx, filter)
	a.t.Must(err, "listing events")
	return events
}

// ByName are the parameters that name an account in list commands.
func (a *Account) ByName() cloud.Params {
	return cloud.Params{"account": a.Name, "domainid": a.DomainID}
}
