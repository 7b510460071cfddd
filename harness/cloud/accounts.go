package cloud

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Accounts are the calls about domains, accounts, users and their limits.
type Accounts struct{ *caller }

// CreateDomain creates a domain; the parent is ROOT when empty.
func (c Accounts) CreateDomain(ctx context.Context, name, parentID string) (*Domain, error) {
	look := lookFor(c.ListDomains, Params{"name": name}, func(d *Domain) (string, bool) {
		return d.Id, d.Name == name && (parentID == "" || d.Parentdomainid == parentID)
	})
	return createNow(ctx, c.caller, "createDomain", Params{"name": name}.set("parentdomainid", parentID), look,
		one(c.ListDomains, "listDomains", "id"))
}

// DeleteDomain deletes a domain; cleanup deletes what is in it.
func (c Accounts) DeleteDomain(ctx context.Context, id string, cleanup bool) error {
	return c.finish(ctx, "deleteDomain", id, Params{"cleanup": cleanup})
}

// AccountSpec is what createAccount takes: an account with one user of the same name.
type AccountSpec struct {
	Name, DomainID, Password, Email string
	// Type is 0 user, 1 root administrator, 2 domain administrator.
	Type int
}

// CreateAccount creates an account. The command is synchronous; the account's User list holds its user.
func (c Accounts) CreateAccount(ctx context.Context, s AccountSpec) (*Account, error) {
	p := Params{"account": s.Name, "username": s.Name, "firstname": s.Name, "lastname": s.Name, "password": s.Password,
		"email": s.Email, "accounttype": s.Type}
	p.set("domainid", s.DomainID)
	look := lookFor(c.ListAccounts, Params{"name": s.Name}.set("domainid", s.DomainID),
		func(a *Account) (string, bool) { return a.Id, a.Name == s.Name })
	return createNow(ctx, c.caller, "createAccount", p, look, one(c.ListAccounts, "listAccounts", "id"))
}

// DeleteAccount deletes an account with all that it owns.
func (c Accounts) DeleteAccount(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteAccount", id, nil)
}

// CreateProject starts the creation of a project that the caller administers.
func (c Accounts) CreateProject(ctx context.Context, name string) (*Creating[Project], error) {
	look := lookFor(c.ListProjects, Params{"name": name}, func(p *Project) (string, bool) {
		return p.Id, p.Name == name
	})
	return create(ctx, c.caller, "createProject", Params{"name": name, "displaytext": name}, look,
		one(c.ListProjects, "listProjects", "id"))
}

// DeleteProject deletes a project with all that belongs to it.
func (c Accounts) DeleteProject(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteProject", id, Params{"cleanup": true})
}

// Keys are a user's key pair.
type Keys struct {
	APIKey    string `json:"apikey"`
	SecretKey string `json:"secretkey"`
}

// RegisterUserKeys makes a new key pair for a user; an older one stops working.
func (c Accounts) RegisterUserKeys(ctx context.Context, userID string) (Keys, error) {
	var k Keys
	err := c.object(ctx, "registerUserKeys", Params{"id": userID}, &k)
	if err == nil && c.trace != nil {
		c.trace.hide(k.APIKey, k.SecretKey)
	}
	return k, err
}

// Resource types that may be limited (api/src/main/java/com/cloud/configuration/Resource.java@4.20.0.0).
const (
	limitVM             = 0
	limitAddress        = 1
	limitVolume         = 2
	limitNetwork        = 6
	limitVPC            = 7
	limitCPU            = 8
	limitMemory         = 9
	limitPrimaryStorage = 10
)

// LiftLimits takes the limits away from a domain, or from an account of it. A new account may have 20 instances,
// addresses, networks and VPCs, and all accounts of a domain together 40 (max.account.*, max.domain.*,
// Config.java@4.20.0.0).
//
// A paced client sends them side by side: each waits for the server's answer and for no other.
func (c Accounts) LiftLimits(ctx context.Context, domainID, account string) error {
	types := []int{limitVM, limitAddress, limitVolume, limitNetwork, limitVPC, limitCPU, limitMemory,
		limitPrimaryStorage}
	group := errgroup.Group{}
	group.SetLimit(1) // in order, so that a seed reproduces the run
	if c.pace != nil {
		group.SetLimit(len(types))
	}
	for _, typ := range types {
		group.Go(func() error {
			p := Params{"resourcetype": typ, "max": -1}.set("domainid", domainID).set("account", account)
			if err := c.Change(ctx, "updateResourceLimit", p, nil); err != nil {
				return fmt.Errorf("lifting the limit of resource type %d: %w", typ, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// ListDomains calls listDomains.
func (c Accounts) ListDomains(ctx context.Context, filter Params) ([]*Domain, error) {
	return list[Domain](ctx, c.caller, "listDomains", "domain", everywhere(filter))
}

// ListAccounts calls listAccounts.
func (c Accounts) ListAccounts(ctx context.Context, filter Params) ([]*Account, error) {
	return list[Account](ctx, c.caller, "listAccounts", "account", everywhere(filter))
}

// ListUsers calls listUsers.
func (c Accounts) ListUsers(ctx context.Context, filter Params) ([]*User, error) {
	return list[User](ctx, c.caller, "listUsers", "user", everywhere(filter))
}

// ListProjects calls listProjects.
func (c Accounts) ListProjects(ctx context.Context, filter Params) ([]*Project, error) {
	return list[Project](ctx, c.caller, "listProjects", "project", everywhere(filter))
}

// ListResourceLimits calls listResourceLimits.
func (c Accounts) ListResourceLimits(ctx context.Context, filter Params) ([]*ResourceLimit, error) {
	return list[ResourceLimit](ctx, c.caller, "listResourceLimits", "resourcelimit", filter)
}
