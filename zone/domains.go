package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

func (z *Zone) domainCommands() []command {
	return []command{
		{
			name: "createDomain", about: "Creates a domain", admin: true, event: "DOMAIN.CREATE", eventful: eventSync, action: "creating Domain",
			params: []param{{"name", "string", true, "creates domain with this name"}, {"parentdomainid", "uuid:domain", false, "assigns new domain a parent domain by domain ID of the parent."},
				{"networkdomain", "string", false, "Network domain for networks in the domain"}},
			run: createDomain, detail: func(z *Zone, c *call) string { return "Domain Name: " + c.str("name") },
		},
		{
			name: "listDomains", about: "Lists domains and provides detailed information for listed domains", admin: true,
			params: listParams(param{"id", "uuid:domain", false, "List domain by domain ID."}, param{"name", "string", false, "List domain by domain name."}, param{"level", "integer", false, "List domains by domain level."}),
			run:    listDomains,
		},
		{
			name: "deleteDomain", about: "Deletes a specified domain", admin: true, class: adminClasses + "domain.DeleteDomainCmd", kind: asyncCommand, instance: "Domain",
			event: "DOMAIN.DELETE", eventful: eventAsync, action: "deleting Domain",
			params: []param{{"id", "uuid:domain", true, "ID of domain to delete"}, {"cleanup", "boolean", false, "true if all domain resources (child domains, accounts) have to be cleaned up, false otherwise"}},
			check: func(z *Zone, c *call) error {
				if d := z.domainByUUID(c.str("id")); d != nil {
					c.eventResource, c.eventResourceType, c.target = d.ID, "Domain", created{uuid: d.UUID, id: d.ID}
				}
				return nil
			},
			run: deleteDomain, describe: func(z *Zone, c *call) string { return fmt.Sprintf("deleting domain: %d", c.eventResource) },
			detail: func(z *Zone, c *call) string { return fmt.Sprintf("Domain Id: %d", c.eventResource) },
		},
	}
}

func (d *Domain) level() int { return strings.Count(d.Path, "/") - 1 }

func (z *Zone) hasChild(d *Domain) bool {
	return slices.ContainsFunc(z.domains, func(o *Domain) bool { return o.Parent == d && o.Removed.IsZero() })
}

// domainAnswer is short for createDomain and long for listDomains.
func (z *Zone) domainAnswer(d *Domain, long bool) obj {
	out := obj{"id": d.UUID, "name": d.Name, "level": d.level(), "haschild": z.hasChild(d), "path": d.shown(), "secondarystoragetotal": float(0)}
	if d.Parent != nil {
		out["parentdomainid"], out["parentdomainname"] = d.Parent.UUID, d.Parent.Name
	}
	if long {
		out["state"], out["created"], out["hasannotations"] = "Active", stamp(d.Created), false
		z.limitFields(out, nil, d)
	}
	return out
}

func createDomain(z *Zone, c *call) (obj, error) {
	parent := z.domains[0]
	if c.has("parentdomainid") {
		parent = z.domainByUUID(c.str("parentdomainid"))
	}
	name := c.str("name")
	if strings.Contains(name, "/") {
		return nil, api.Invalid("Domain name can't contain '/'")
	}
	d := &Domain{UUID: z.uuid(), Name: name, Path: parent.Path + name + "/", Parent: parent, Created: z.now()}
	if slices.ContainsFunc(z.domains, func(o *Domain) bool { return o.Path == d.Path && o.Removed.IsZero() }) {
		return nil, api.Invalid("Domain with name %s already exists for the parent id=%d", name, parent.ID)
	}
	id, err := z.insert(c.ctx, "cloud.domain", obj{"uuid": d.UUID, "name": name, "parent": parent.ID, "owner": callerOf(c).Account.ID, "path": d.Path, "level": d.level(), "created": d.Created})
	if err != nil {
		return nil, err
	}
	d.ID = id
	z.domains = append(z.domains, d)
	c.eventResource, c.eventResourceType, c.target = d.ID, "Domain", created{uuid: d.UUID, id: d.ID}
	return obj{"domain": z.domainAnswer(d, false)}, nil
}

func listDomains(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, d := range z.domains {
		if !d.Removed.IsZero() || !z.within(d, callerOf(c).Account.Domain.UUID) || c.has("id") && c.str("id") != d.UUID || c.has("name") && c.str("name") != d.Name ||
			c.has("level") && c.integer("level", -1) != d.level() || !matches(c.str("keyword"), d.Name) {
			continue
		}
		out = append(out, z.domainAnswer(d, true))
	}
	return c.page("domain", out), nil
}

func deleteDomain(z *Zone, c *call) (obj, error) {
	d := z.domainByUUID(c.str("id"))
	if d == nil || !d.Removed.IsZero() {
		return nil, api.Invalid("Failed to delete domain %s, domain not found", c.str("id"))
	}
	if d.Parent == nil {
		return nil, permission("Can't delete ROOT domain")
	}
	var children []*Domain
	for _, o := range z.domains {
		if o != d && o.Removed.IsZero() && z.within(o, d.UUID) {
			children = append(children, o)
		}
	}
	accounts := slices.DeleteFunc(slices.Clone(z.accounts), func(a *Account) bool { return !a.Removed.IsZero() || !z.within(a.Domain, d.UUID) })
	// DomainManagerImpl.java@4.20.0.0, publishRemoveEventsAndRemoveDomain; measured on 4.20.0.0 (confirmed.md 34).
	if !c.boolean("cleanup", false) && len(accounts)+len(children) > 0 {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSCloudRuntime, Text: fmt.Sprintf(
			"Delete failed on domain %s (id: %d); Please make sure all users and sub domains have been removed from the domain before deleting", d.Name, d.ID)}
	}
	for _, a := range accounts {
		if err := z.tenancyHooks.remove(c.ctx, a); err != nil {
			return nil, err
		}
	}
	for _, o := range append(children, d) {
		o.Removed = z.now()
		if err := z.update(c.ctx, "cloud.domain", o.ID, obj{"removed": o.Removed, "state": "Inactive"}); err != nil {
			return nil, err
		}
	}
	return obj{"success": true}, nil
}
