package tenancy

import (
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"domain":  func(u string) bool { return mgr.DomainByUUID(u) != nil },
		"account": func(u string) bool { return mgr.AccountByUUID(u) != nil },
		"user":    func(u string) bool { return mgr.UserByUUID(u) != nil },
		"project": func(u string) bool { return mgr.ProjectByUUID(u) != nil },
	}
}

// DomainByUUID finds the domain with a uuid, removed ones included; nil for none.
func (mgr *Manager) DomainByUUID(u string) *Domain {
	return mgr.Domains.ByUUID(u)
}

// AccountByUUID finds the account with a uuid, removed ones included; nil for none.
func (mgr *Manager) AccountByUUID(u string) *Account {
	return mgr.Accounts.ByUUID(u)
}

// UserByUUID finds the user with a uuid, removed ones included; nil for none.
func (mgr *Manager) UserByUUID(u string) *User {
	return mgr.Users.ByUUID(u)
}

// OwnerAccount is the account that a create command works for: the project's, the one named by account and domainid,
// else the caller's (AccountManagerImpl.java@4.20.0.0, finalizeOwner).
func OwnerAccount(mgr *Manager, c *kernel.Call) (*Account, error) {
	name, domain := c.Str("account"), c.Str("domainid")
	if id := c.Str("projectid"); id != "" && id != everyProject && takesProject(c) {
		return mgr.projectOwner(c, id, name)
	}
	if name == "" {
		return Caller(c).Account, nil
	}
	if domain == "" {
		return nil, api.Invalid("domainId must be specified with accountName")
	}
	for _, a := range mgr.Accounts.All() {
		if a.Name == name && a.Domain.UUID == domain && a.Removed.IsZero() {
			if Caller(c).Account.Type == 0 && a != Caller(c).Account {
				return nil, Permission("Acct[%s-%s] does not have permission to operate within domain id=%s",
					Caller(c).Account.UUID, Caller(c).Account.Name, domain)
			}
			return a, nil
		}
	}
	return nil, api.Invalid("Unable to find account %s in domain id=%s", name, domain)
}

// takesProject says whether the command has a parameter projectid: where it has none, a server takes no notice of it.
func takesProject(c *kernel.Call) bool {
	return slices.ContainsFunc(c.Cmd.Params, func(p param) bool { return p.Name == "projectid" })
}

func (mgr *Manager) projectOwner(c *kernel.Call, id, account string) (*Account, error) {
	if account != "" {
		return nil, api.Invalid("Account and projectId can't be specified together")
	}
	p := mgr.ProjectByUUID(id)
	if p == nil || !p.Removed.IsZero() {
		return nil, api.Invalid("Unable to find project by id")
	}
	return p.Account, MayUse(mgr, c, p.Account, "Project")
}

// Visible is the filter of list commands: own objects, or those that projectid, account, domainid, listall and
// isrecursive name. What belongs to a project is seen by its project, by its own id, or in the list of everything.
func Visible(mgr *Manager, c *kernel.Call, a *Account) bool {
	wanted := c.Str("projectid")
	if p := a.Project; p != nil && (wanted == p.UUID || wanted == everyProject || wanted == "" && c.Has("id")) {
		return acts(Caller(c).Account, a) || Caller(c).Account.Type == RootAdmin
	} else if p != nil || wanted != "" && wanted != everyProject {
		return false
	}
	if name := c.Str("account"); name != "" && (a.Name != name || (c.Has("domainid") &&
		a.Domain.UUID != c.Str("domainid"))) {
		return false
	}
	if d := c.Str("domainid"); d != "" && a.Domain.UUID != d &&
		!(c.Boolean("isrecursive", false) && mgr.Within(a.Domain, d)) {
		return false
	}
	if Caller(c).Account.Type == 1 {
		return Caller(c).Account == a || c.Boolean("listall", false) || c.Has("account") || c.Has("domainid") ||
			c.Has("id") || Caller(c) == mgr.System
	}
	return Caller(c).Account == a
}

// Within says whether a domain is another one or lies below it.
func (mgr *Manager) Within(d *Domain, uuid string) bool {
	for ; d != nil; d = d.Parent {
		if d.UUID == uuid {
			return true
		}
	}
	return false
}

// Permission is a 531.
func Permission(format string, a ...any) *api.Error {
	e := api.BadParameter(format, a...)
	e.Code, e.CSCode = api.CodeAccount, api.CSPermissionDenied
	return e
}
