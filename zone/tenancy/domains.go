package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

func domainCommands() []command {
	return []command{
		{
			Name: "createDomain", About: "Creates a domain", Admin: true, Event: "DOMAIN.CREATE",
			Eventful: kernel.EventSync, Action: "creating Domain",
			Params: []param{{Name: "name", Type: "string", Required: true, About: "creates domain with this name"},
				{Name: "parentdomainid", Type: "uuid:domain", About: "assigns new domain a parent domain by " +
					"domain ID of the parent."},
				{Name: "networkdomain", Type: "string", About: "Network domain for networks in the domain"}},
			Run: createDomain, Detail: func(mgr *Manager,
				c *kernel.Call) string {
				return "Domain Name: " + c.Str("name")
			},
		},
		{
			Name: "listDomains", About: "Lists domains and provides detailed information for listed domains",
			Admin: true,
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:domain", About: "List domain by domain ID."},
				param{Name: "name", Type: "string", About: "List domain by domain name."},
				param{Name: "level", Type: "integer", About: "List domains by domain level."}),
			Run: listDomains,
		},
		{
			Name: "deleteDomain", About: "Deletes a specified domain", Admin: true,
			Class: kernel.AdminClasses + "domain.DeleteDomainCmd", Kind: kernel.AsyncCommand, Instance: "Domain",
			Event: "DOMAIN.DELETE", Eventful: kernel.EventAsync, Action: "deleting Domain",
			Params: []param{{Name: "id", Type: "uuid:domain", Required: true, About: "ID of domain to delete"},
				{Name: "cleanup", Type: "boolean", About: "true if all domain resources (child domains, " +
					"accounts) have to be cleaned up, false otherwise"}},
			Check: func(mgr *Manager, c *kernel.Call) error {
				if d := mgr.DomainByUUID(c.Str("id")); d != nil {
					c.EventResource, c.EventResourceType, c.Target = d.ID, "Domain",
						kernel.Created{UUID: d.UUID, ID: d.ID}
				}
				return nil
			},
			Run: deleteDomain, Describe: func(mgr *Manager,
				c *kernel.Call) string {
				return fmt.Sprintf("deleting domain: %d", c.EventResource)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return fmt.Sprintf("Domain Id: %d", c.EventResource) },
		},
	}
}

func (d *Domain) level() int { return strings.Count(d.Path, "/") - 1 }

func (mgr *Manager) hasChild(d *Domain) bool {
	return slices.ContainsFunc(mgr.Domains.All(), func(o *Domain) bool { return o.Parent == d && o.Removed.IsZero() })
}

// domainAnswer is short for createDomain and long for listDomains.
func (mgr *Manager) domainAnswer(d *Domain, long bool) obj {
	out := obj{"id": d.UUID, "name": d.Name, "level": d.level(), "haschild": mgr.hasChild(d), "path": d.Shown(),
		"secondarystoragetotal": float(0)}
	if d.Parent != nil {
		out["parentdomainid"], out["parentdomainname"] = d.Parent.UUID, d.Parent.Name
	}
	if long {
		out["state"], out["created"], out["hasannotations"] = "Active", kernel.Stamp(d.Created), false
		mgr.limitFields(out, nil, d)
	}
	return out
}

func createDomain(mgr *Manager, c *kernel.Call) (obj, error) {
	parent := mgr.Domains.All()[0]
	if c.Has("parentdomainid") {
		parent = mgr.DomainByUUID(c.Str("parentdomainid"))
	}
	name := c.Str("name")
	if strings.Contains(name, "/") {
		return nil, api.Invalid("Domain name can't contain '/'")
	}
	d := &Domain{UUID: mgr.UUID(), Name: name, Path: parent.Path + name + "/", Parent: parent, Created: mgr.Now()}
	if slices.ContainsFunc(mgr.Domains.All(), func(o *Domain) bool { return o.Path == d.Path && o.Removed.IsZero() }) {
		return nil, api.Invalid("Domain with name [%s] already exists for the parent with ID [%d].", name, parent.ID)
	}
	id, err := mgr.Insert(c.Ctx, "cloud.domain", obj{"uuid": d.UUID, "name": name, "parent": parent.ID,
		"owner": Caller(c).Account.ID, "path": d.Path, "level": d.level(), "created": d.Created})
	if err != nil {
		return nil, err
	}
	d.ID = id
	mgr.Domains.Add(d)
	c.EventResource, c.EventResourceType, c.Target = d.ID, "Domain", kernel.Created{UUID: d.UUID, ID: d.ID}
	return obj{"domain": mgr.domainAnswer(d, false)}, nil
}

func listDomains(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, d := range mgr.Domains.All() {
		if !d.Removed.IsZero() || !mgr.Within(d, Caller(c).Account.Domain.UUID) || c.Has("id") &&
			c.Str("id") != d.UUID || c.Differs("name", d.Name) ||
			c.Has("level") && c.Integer("level", -1) != d.level() || !kernel.Matches(c.Str("keyword"), d.Name) {
			continue
		}
		out = append(out, mgr.domainAnswer(d, true))
	}
	return c.Page("domain", out), nil
}

func deleteDomain(mgr *Manager, c *kernel.Call) (obj, error) {
	d := mgr.DomainByUUID(c.Str("id"))
	if d == nil || !d.Removed.IsZero() {
		return nil, api.Invalid("Failed to delete domain %s, domain not found", c.Str("id"))
	}
	if d.Parent == nil {
		return nil, Permission("Can't delete ROOT domain")
	}
	var children []*Domain
	for _, o := range mgr.Domains.All() {
		if o != d && o.Removed.IsZero() && mgr.Within(o, d.UUID) {
			children = append(children, o)
		}
	}
	accounts := slices.DeleteFunc(slices.Clone(mgr.Accounts.All()), func(a *Account) bool {
		return !a.Removed.IsZero() ||
			!mgr.Within(a.Domain, d.UUID)
	})
	// DomainManagerImpl.java@4.20.0.0, publishRemoveEventsAndRemoveDomain; measured on 4.20.0.0 (confirmed.md 34).
	if !c.Boolean("cleanup", false) && len(accounts)+len(children) > 0 {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSCloudRuntime,
			Text: fmt.Sprintf("Delete failed on domain %s (id: %d); Please make sure all users and sub domains have "+
				"been removed "+
				"from the domain before deleting", d.Name, d.ID)}
	}
	for _, a := range accounts {
		remove := mgr.Hooks.Remove
		if p := a.Project; p != nil {
			remove = func(ctx context.Context, _ *Account) error { return mgr.removeProject(ctx, p) }
		}
		if err := remove(c.Ctx, a); err != nil {
			return nil, err
		}
	}
	for _, o := range append(children, d) {
		o.Removed = mgr.Now()
		if err := mgr.Update(c.Ctx, "cloud.domain", o.ID, obj{"removed": o.Removed, "state": "Inactive"}); err != nil {
			return nil, err
		}
	}
	return obj{"success": true}, nil
}
