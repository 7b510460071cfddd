package zone

import (
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// str is a parameter's value, "" when absent.
func (c *call) str(name string) string { return c.params[strings.ToLower(name)] }

// has reports whether a parameter was given, even empty.
func (c *call) has(name string) bool { _, ok := c.params[strings.ToLower(name)]; return ok }

// integer is a numeric parameter (already checked by its declared type), def when absent.
func (c *call) integer(name string, def int) int {
	if n, err := strconv.Atoi(c.str(name)); err == nil {
		return n
	}
	return def
}

// boolean is Java's Boolean.parseBoolean: true only for the word true; def when absent.
func (c *call) boolean(name string, def bool) bool {
	if v := c.str(name); v != "" {
		return strings.EqualFold(v, "true")
	}
	return def
}

// list splits a comma-separated parameter.
func (c *call) list(name string) []string {
	var out []string
	for _, one := range strings.Split(c.str(name), ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// hasMap reports whether any "name[...]" parameter was given.
func (c *call) hasMap(name string) bool {
	prefix := strings.ToLower(name) + "["
	for k := range c.params {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}

// entries gathers "name[0].key=value" in the order of the indexes: one map an index.
func (c *call) entries(name string) []map[string]string {
	prefix := strings.ToLower(name) + "["
	byIndex := map[string]map[string]string{}
	var order []string
	for k, v := range c.params {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			continue
		}
		index, key, ok := strings.Cut(rest, "].")
		if !ok {
			continue
		}
		if byIndex[index] == nil {
			byIndex[index] = map[string]string{}
			order = append(order, index)
		}
		byIndex[index][key] = v
	}
	sortIndexes(order)
	out := make([]map[string]string, len(order))
	for i, index := range order {
		out[i] = byIndex[index]
	}
	return out
}

// find is the element with the uuid, removed ones included, as CloudStack resolves parameters.
func find[T any](items []T, uuid string, id func(T) string) (T, bool) {
	for _, one := range items {
		if id(one) == uuid {
			return one, true
		}
	}
	var none T
	return none, false
}

// exists resolves an entity parameter.
func (z *Zone) exists(entity, uuid string) bool {
	f, ok := z.finders[entity]
	return ok && f(uuid)
}

func (z *Zone) domainByUUID(u string) *Domain {
	d, _ := find(z.domains, u, func(d *Domain) string { return d.UUID })
	return d
}
func (z *Zone) accountByUUID(u string) *Account {
	a, _ := find(z.accounts, u, func(a *Account) string { return a.UUID })
	return a
}
func (z *Zone) userByUUID(u string) *User {
	x, _ := find(z.users, u, func(x *User) string { return x.UUID })
	return x
}
func (z *Zone) vpcByUUID(u string) *VPC {
	v, _ := find(z.vpcs, u, func(v *VPC) string { return v.UUID })
	return v
}
func (z *Zone) networkByUUID(u string) *Network {
	n, _ := find(z.networks, u, func(n *Network) string { return n.UUID })
	return n
}
func (z *Zone) routerByUUID(u string) *Router {
	r, _ := find(z.routers, u, func(r *Router) string { return r.UUID })
	return r
}
func (z *Zone) hostByUUID(u string) *Host {
	h, _ := find(z.hosts, u, func(h *Host) string { return h.UUID })
	return h
}
func (z *Zone) addressByUUID(u string) *Address {
	a, _ := find(z.addresses, u, func(a *Address) string { return a.UUID })
	return a
}
func (z *Zone) vmByUUID(u string) *VM {
	v, _ := find(z.vms, u, func(v *VM) string { return v.UUID })
	return v
}
func (z *Zone) volumeByUUID(u string) *Volume {
	v, _ := find(z.volumes, u, func(v *Volume) string { return v.UUID })
	return v
}
func (z *Zone) lbRuleByUUID(u string) *LBRule {
	r, _ := find(z.lbRules, u, func(r *LBRule) string { return r.UUID })
	return r
}
func (z *Zone) pfRuleByUUID(u string) *PFRule {
	r, _ := find(z.pfRules, u, func(r *PFRule) string { return r.UUID })
	return r
}
func (z *Zone) fwRuleByUUID(u string) *rule {
	r, _ := find(z.fwRules, u, func(r *rule) string { return r.UUID })
	return r
}
func (z *Zone) counterByUUID(u string) *Counter {
	x, _ := find(z.counters, u, func(x *Counter) string { return x.UUID })
	return x
}
func (z *Zone) conditionByUUID(u string) *Condition {
	x, _ := find(z.conditions, u, func(x *Condition) string { return x.UUID })
	return x
}
func (z *Zone) scalePolicyByUUID(u string) *ScalePolicy {
	x, _ := find(z.policies, u, func(x *ScalePolicy) string { return x.UUID })
	return x
}
func (z *Zone) scaleProfileByUUID(u string) *ScaleProfile {
	x, _ := find(z.profiles, u, func(x *ScaleProfile) string { return x.UUID })
	return x
}
func (z *Zone) groupByUUID(u string) *Group {
	x, _ := find(z.groups, u, func(x *Group) string { return x.UUID })
	return x
}
func offeringByUUID(all []*Offering, u string) *Offering {
	o, _ := find(all, u, func(o *Offering) string { return o.UUID })
	return o
}

// policyByUUID finds a stickiness policy and the rule it belongs to.
func (z *Zone) policyByUUID(u string) (*LBRule, *Policy) {
	for _, r := range z.lbRules {
		if p, ok := find(r.Policies, u, func(p *Policy) string { return p.UUID }); ok {
			return r, p
		}
	}
	return nil, nil
}

// The typed parameter lookups. They fail like the parameter check when the entity went away between check and work.

func lookup[T any](c *call, name string, get func(string) *T) (*T, error) {
	if x := get(c.str(name)); x != nil {
		return x, nil
	}
	return nil, c.badEntity(name, c.str(name))
}

func vpcParam(z *Zone, c *call, name string) (*VPC, error) { return lookup(c, name, z.vpcByUUID) }
func networkParam(z *Zone, c *call, name string) (*Network, error) {
	return lookup(c, name, z.networkByUUID)
}
func addressParam(z *Zone, c *call, name string) (*Address, error) {
	return lookup(c, name, z.addressByUUID)
}
func vmParam(z *Zone, c *call, name string) (*VM, error) { return lookup(c, name, z.vmByUUID) }
func routerParam(z *Zone, c *call, name string) (*Router, error) {
	return lookup(c, name, z.routerByUUID)
}
func lbRuleParam(z *Zone, c *call, name string) (*LBRule, error) {
	return lookup(c, name, z.lbRuleByUUID)
}
func pfRuleParam(z *Zone, c *call, name string) (*PFRule, error) {
	return lookup(c, name, z.pfRuleByUUID)
}
func fwRuleParam(z *Zone, c *call, name string) (*rule, error) {
	return lookup(c, name, z.fwRuleByUUID)
}
func groupParam(z *Zone, c *call, name string) (*Group, error) { return lookup(c, name, z.groupByUUID) }
func volumeParam(z *Zone, c *call, name string) (*Volume, error) {
	return lookup(c, name, z.volumeByUUID)
}

// ownerAccount is the account that a create command works for: the one named by account and domainid, else the caller's.
func ownerAccount(z *Zone, c *call) (*Account, error) {
	name, domain := c.str("account"), c.str("domainid")
	if name == "" {
		return callerOf(c).Account, nil
	}
	if domain == "" {
		return nil, api.Invalid("domainId must be specified with accountName")
	}
	for _, a := range z.accounts {
		if a.Name == name && a.Domain.UUID == domain && a.Removed.IsZero() {
			if callerOf(c).Account.Type == 0 && a != callerOf(c).Account {
				return nil, permission("Acct[%s-%s] does not have permission to operate within domain id=%s", callerOf(c).Account.UUID, callerOf(c).Account.Name, domain)
			}
			return a, nil
		}
	}
	return nil, api.Invalid("Unable to find account %s in domain id=%s", name, domain)
}

// visible is the filter of list commands: own objects, or those that account, domainid, listall and isrecursive name.
func visible(z *Zone, c *call, a *Account) bool {
	if name := c.str("account"); name != "" && (a.Name != name || (c.has("domainid") && a.Domain.UUID != c.str("domainid"))) {
		return false
	}
	if d := c.str("domainid"); d != "" && a.Domain.UUID != d &&
		!(c.boolean("isrecursive", false) && z.within(a.Domain, d)) {
		return false
	}
	if callerOf(c).Account.Type == 1 {
		return callerOf(c).Account == a || c.boolean("listall", false) || c.has("account") || c.has("domainid") || c.has("id") || callerOf(c) == z.system
	}
	return callerOf(c).Account == a
}

func (z *Zone) within(d *Domain, uuid string) bool {
	for ; d != nil; d = d.Parent {
		if d.UUID == uuid {
			return true
		}
	}
	return false
}

// permission is a 531.
func permission(format string, a ...any) *api.Error {
	e := api.BadParameter(format, a...)
	e.Code, e.CSCode = api.CodeAccount, api.CSPermissionDenied
	return e
}

// parseDate reads the two date forms of listUsageRecords and listEvents, as UTC.
func parseDate(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02", "2006-01-02T15:04:05-0700", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, api.Invalid("date %s is neither yyyy-MM-dd nor yyyy-MM-dd HH:mm:ss", s)
}

// stamp is how answers write a time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }
