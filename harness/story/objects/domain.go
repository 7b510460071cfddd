package objects

import (
	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
)

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
