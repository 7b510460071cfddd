package tenancy

import (
	"strconv"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// Resource types of limits, by the number that the API takes
// (api/src/main/java/com/cloud/configuration/Resource.java@4.20.0.0).
const (
	LimitVM      = 0
	LimitIP      = 1
	LimitNetwork = 6
	LimitVPC     = 7
	LimitVolume  = 2
	LimitCPU     = 8
	LimitMemory  = 9
)

type limitType struct {
	Name    string // as in listResourceLimits
	short   string // as in listAccounts ("vmlimit")
	setting string // as in max.account.user.vms and max.domain.user.vms
	def     int64  // of an account
}

// LimitTypes are the limited resources, by number.
func LimitTypes() []limitType {
	return []limitType{
		{"user_vm", "vm", "user.vms", 20}, {"public_ip", "ip", "public.ips", 20}, {"volume", "volume", "volumes", 20},
		{"snapshot", "snapshot", "snapshots", 20},
		{"template", "template", "templates", 20}, {"project", "project", "projects", 10},
		{"network", "network", "networks", 20}, {"vpc", "vpc", "vpcs", 20},
		{"cpu", "cpu", "cpus", 40}, {"memory", "memory", "memory", 40960},
		{"primary_storage", "primarystorage", "primary.storage", 200},
		{"secondary_storage", "secondarystorage", "secondary.storage", 400},
	}
}

// limitSettings are the defaults for accounts and domains; domains have none since 4.6 (schema-452to460.sql).
func limitSettings() []*Setting {
	var all []*Setting
	for _, t := range LimitTypes() {
		def := strconv.FormatInt(t.def, 10)
		all = append(all,
			&Setting{"max.account." + t.setting, def, def, "Account Defaults",
				"The default maximum of " + t.Name + " for an account", "Number"},
			&Setting{"max.domain." + t.setting, "-1", "-1", "Domain Defaults",
				"The default maximum of " + t.Name + " for a domain", "Number"})
	}
	return all
}

// defaultLimits are the settings' values, which the server reads once, when it starts
// (ResourceLimitManagerImpl.java@4.20.0.0).
type defaultLimits struct{ account, domain []int64 }

func (mgr *Manager) readLimits() (d defaultLimits) {
	read := func(name string) int64 {
		s, _ := kernel.Find(mgr.Config, name, func(s *Setting) string { return s.Name })
		n, err := strconv.ParseInt(s.Value, 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	for _, t := range LimitTypes() {
		d.account, d.domain = append(d.account, read("max.account."+t.setting)),
			append(d.domain, read("max.domain."+t.setting))
	}
	return d
}

// LimitKey names a limit of its own.
type LimitKey struct {
	account, domain int64 // one of them
	typ             int
}

// limit is an account's or a domain's limit, -1 for none. Root admins have none.
func (mgr *Manager) limit(a *Account, typ int) int64 {
	if a.Type == 1 {
		return -1
	}
	if n, ok := mgr.Limits[LimitKey{account: a.ID, typ: typ}]; ok {
		return n
	}
	return mgr.defaultLimits.account[typ]
}

// limitFields adds "vmlimit", "vmtotal", "vmavailable" and so on to an account's or a domain's answer.
func (mgr *Manager) limitFields(out obj, a *Account, d *Domain) {
	for typ, t := range LimitTypes() {
		var limit, total int64
		if a != nil {
			limit, total = mgr.limit(a, typ), mgr.Hooks.Used(a, typ)
		} else {
			limit, total = mgr.DomainLimit(d, typ), mgr.usedInDomain(d, typ)
		}
		shown, left := "Unlimited", "Unlimited"
		if limit >= 0 {
			shown, left = strconv.FormatInt(limit, 10), strconv.FormatInt(limit-total, 10)
		}
		out[t.short+"limit"], out[t.short+"total"], out[t.short+"available"] = shown, total, left
		if t.short == "secondarystorage" {
			out[t.short+"total"] = float(0)
			if limit >= 0 {
				out[t.short+"available"] = left + ".0"
			}
		}
	}
}

// float is a number that is always written with a point, as a Java Double is.
func float(v float64) any { return number(strconv.FormatFloat(v, 'f', 1, 64)) }

// number is a JSON number with its own spelling.
type number string

// MarshalJSON writes the spelling.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func limitCommands() []command {
	who := []param{{Name: "account", Type: "string", About: "List resources by account. Must be used with the " +
		"domainId parameter."},
		{Name: "domainid", Type: "uuid:domain", About: "list only resources belonging to the domain specified"},
		{Name: "projectid", Type: "uuid:project", About: "the project of the limits"},
		{Name: "resourcetype", Type: "integer", About: "Type of resource."}}
	return []command{
		{Name: "listResourceLimits", About: "Lists resource limits.",
			Params: kernel.ListParams(param{Name: "resourcetype", Type: "integer", About: "Type of resource."}),
			Run:    listLimits},
		{
			Name: "updateResourceLimit", About: "Updates resource limits for an account or domain.", Admin: true,
			Params: append(who[:2:2], param{Name: "resourcetype", Type: "integer", Required: true,
				About: "Type of resource to update."},
				param{Name: "max", Type: "long", About: "Maximum resource limit."}),
			Event: "RESOURCE.LIMIT.UPDATE", Eventful: kernel.EventSync, Action: "updating resource limit",
			Run: updateLimit,
		},
		{Name: "updateResourceCount", About: "Recalculate and update resource count for an account or domain.",
			Admin: true, Params: who, Run: countResources},
	}
}

func limitAnswer(mgr *Manager, c *kernel.Call, a *Account, d *Domain, typ int, limit int64) obj {
	out := obj{"resourcetype": kernel.Itoa(typ), "resourcetypename": LimitTypes()[typ].Name, "max": limit}
	if a != nil {
		mgr.Owned(out, a)
	} else {
		out["domainid"], out["domain"] = d.UUID, d.Name
		mgr.DomainPath(out, d)
	}
	return out
}

func listLimits(mgr *Manager, c *kernel.Call) (obj, error) {
	a, d := (*Account)(nil), mgr.DomainByUUID(c.Str("domainid"))
	if d == nil || c.Has("account") {
		var err error
		if a, err = OwnerAccount(mgr, c); err != nil {
			return nil, err
		}
	} else if !mgr.Within(d, Caller(c).Account.Domain.UUID) || Caller(c).Account.Type == 0 {
		return nil, Permission("Acct[%s-%s] does not have permission to operate within domain id=%s",
			Caller(c).Account.UUID, Caller(c).Account.Name, d.UUID)
	}
	var out []obj
	for typ := range LimitTypes() {
		if c.Has("resourcetype") && c.Integer("resourcetype", -1) != typ {
			continue
		}
		if a != nil {
			out = append(out, limitAnswer(mgr, c, a, nil, typ, mgr.limit(a, typ)))
		} else {
			out = append(out, limitAnswer(mgr, c, nil, d, typ, mgr.DomainLimit(d, typ)))
		}
	}
	return c.Page("resourcelimit", out), nil
}

func updateLimit(mgr *Manager, c *kernel.Call) (obj, error) {
	typ, limit := c.Integer("resourcetype", -1), int64(c.Integer("max", -1))
	if typ < 0 || typ >= len(LimitTypes()) {
		return nil, api.Invalid("Please specify valid resource type")
	}
	if limit < -1 {
		return nil, api.Invalid("Please specify limit -1 or higher")
	}
	if !c.Has("account") && c.Has("domainid") {
		d := mgr.DomainByUUID(c.Str("domainid"))
		if d.Parent == nil {
			return nil, Permission("Cannot update resource limit for ROOT domain %d, permission denied", d.ID)
		}
		if most := mgr.DomainLimit(d.Parent, typ); most >= 0 && limit > most {
			return nil, api.Invalid("Domain %s(id: %s) has maximum allowed resource limit %d for %s, please "+
				"specify a value less than or equal to %d",
				d.Parent.Name, d.Parent.UUID, most, LimitTypes()[typ].Name, most)
		}
		mgr.Limits[LimitKey{domain: d.ID, typ: typ}] = limit
		return obj{"resourcelimit": limitAnswer(mgr, c, nil, d, typ, limit)}, nil
	}
	a, err := OwnerAccount(mgr, c)
	if err != nil {
		return nil, err
	}
	mgr.Limits[LimitKey{account: a.ID, typ: typ}] = limit
	return obj{"resourcelimit": limitAnswer(mgr, c, a, nil, typ, limit)}, nil
}

func countResources(mgr *Manager, c *kernel.Call) (obj, error) {
	a, err := OwnerAccount(mgr, c)
	if err != nil {
		return nil, err
	}
	var out []obj
	for typ, t := range LimitTypes() {
		if c.Has("resourcetype") && c.Integer("resourcetype", -1) != typ {
			continue
		}
		one := obj{"resourcetype": kernel.Itoa(typ), "resourcetypename": t.Name,
			"resourcecount": mgr.Hooks.Used(a, typ)}
		mgr.Owned(one, a)
		out = append(out, one)
	}
	return c.Page("resourcecount", out), nil
}
