package zone

import (
	"strconv"

	"github.com/stackproof/stackproof/zone/api"
)

// Resource types of limits, by the number that the API takes (api/src/main/java/com/cloud/configuration/Resource.java@4.20.0.0).
const (
	limitVM      = 0
	limitIP      = 1
	limitNetwork = 6
	limitVPC     = 7
	limitVolume  = 2
	limitCPU     = 8
	limitMemory  = 9
)

type limitType struct {
	name    string // as in listResourceLimits
	short   string // as in listAccounts ("vmlimit")
	setting string // as in max.account.user.vms and max.domain.user.vms
	def     int64  // of an account
}

func limitTypes() []limitType {
	return []limitType{
		{"user_vm", "vm", "user.vms", 20}, {"public_ip", "ip", "public.ips", 20}, {"volume", "volume", "volumes", 20}, {"snapshot", "snapshot", "snapshots", 20},
		{"template", "template", "templates", 20}, {"project", "project", "projects", 10}, {"network", "network", "networks", 20}, {"vpc", "vpc", "vpcs", 20},
		{"cpu", "cpu", "cpus", 40}, {"memory", "memory", "memory", 40960}, {"primary_storage", "primarystorage", "primary.storage", 200},
		{"secondary_storage", "secondarystorage", "secondary.storage", 400},
	}
}

// limitSettings are the defaults for accounts and domains; domains have none since 4.6 (schema-452to460.sql).
func limitSettings() []*Setting {
	var all []*Setting
	for _, t := range limitTypes() {
		def := strconv.FormatInt(t.def, 10)
		all = append(all,
			&Setting{"max.account." + t.setting, def, def, "Account Defaults", "The default maximum of " + t.name + " for an account", "Number"},
			&Setting{"max.domain." + t.setting, "-1", "-1", "Domain Defaults", "The default maximum of " + t.name + " for a domain", "Number"})
	}
	return all
}

// defaultLimits are the settings' values, which the server reads once, when it starts
// (ResourceLimitManagerImpl.java@4.20.0.0).
type defaultLimits struct{ account, domain []int64 }

func (z *Zone) readLimits() (d defaultLimits) {
	read := func(name string) int64 {
		s, _ := find(z.config, name, func(s *Setting) string { return s.Name })
		n, err := strconv.ParseInt(s.Value, 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	for _, t := range limitTypes() {
		d.account, d.domain = append(d.account, read("max.account."+t.setting)), append(d.domain, read("max.domain."+t.setting))
	}
	return d
}

type limitKey struct {
	account, domain int64 // one of them
	typ             int
}

// limit is an account's or a domain's limit, -1 for none. Root admins have none.
func (z *Zone) limit(a *Account, typ int) int64 {
	if a.Type == 1 {
		return -1
	}
	if n, ok := z.limits[limitKey{account: a.ID, typ: typ}]; ok {
		return n
	}
	return z.defaultLimits.account[typ]
}

// limitFields adds "vmlimit", "vmtotal", "vmavailable" and so on to an account's or a domain's answer.
func (z *Zone) limitFields(out obj, a *Account, d *Domain) {
	for typ, t := range limitTypes() {
		var limit, total int64
		if a != nil {
			limit, total = z.limit(a, typ), z.tenancyHooks.used(a, typ)
		} else {
			limit, total = z.domainLimit(d, typ), z.usedInDomain(d, typ)
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

func (z *Zone) limitCommands() []command {
	who := []param{{"account", "string", false, "List resources by account. Must be used with the domainId parameter."}, {"domainid", "uuid:domain", false, "list only resources belonging to the domain specified"},
		{"resourcetype", "integer", false, "Type of resource."}}
	return []command{
		{name: "listResourceLimits", about: "Lists resource limits.", params: listParams(param{"resourcetype", "integer", false, "Type of resource."}), run: listLimits},
		{
			name: "updateResourceLimit", about: "Updates resource limits for an account or domain.", admin: true,
			params: append(who[:2:2], param{"resourcetype", "integer", true, "Type of resource to update."}, param{"max", "long", false, "Maximum resource limit."}),
			event:  "RESOURCE.LIMIT.UPDATE", eventful: eventSync, action: "updating resource limit", run: updateLimit,
		},
		{name: "updateResourceCount", about: "Recalculate and update resource count for an account or domain.", admin: true, params: who, run: countResources},
	}
}

func limitAnswer(z *Zone, c *call, a *Account, d *Domain, typ int, limit int64) obj {
	out := obj{"resourcetype": itoa(typ), "resourcetypename": limitTypes()[typ].name, "max": limit}
	if a != nil {
		z.owned(out, a)
	} else {
		out["domainid"], out["domain"] = d.UUID, d.Name
		z.domainPath(out, d.Path)
	}
	return out
}

func listLimits(z *Zone, c *call) (obj, error) {
	a, d := (*Account)(nil), z.domainByUUID(c.str("domainid"))
	if d == nil || c.has("account") {
		var err error
		if a, err = ownerAccount(z, c); err != nil {
			return nil, err
		}
	} else if !z.within(d, callerOf(c).Account.Domain.UUID) || callerOf(c).Account.Type == 0 {
		return nil, permission("Acct[%s-%s] does not have permission to operate within domain id=%s", callerOf(c).Account.UUID, callerOf(c).Account.Name, d.UUID)
	}
	var out []obj
	for typ := range limitTypes() {
		if c.has("resourcetype") && c.integer("resourcetype", -1) != typ {
			continue
		}
		if a != nil {
			out = append(out, limitAnswer(z, c, a, nil, typ, z.limit(a, typ)))
		} else {
			out = append(out, limitAnswer(z, c, nil, d, typ, z.domainLimit(d, typ)))
		}
	}
	return c.page("resourcelimit", out), nil
}

func updateLimit(z *Zone, c *call) (obj, error) {
	typ, limit := c.integer("resourcetype", -1), int64(c.integer("max", -1))
	if typ < 0 || typ >= len(limitTypes()) {
		return nil, api.Invalid("Please specify valid resource type")
	}
	if limit < -1 {
		return nil, api.Invalid("Please specify limit -1 or higher")
	}
	if !c.has("account") && c.has("domainid") {
		d := z.domainByUUID(c.str("domainid"))
		if d.Parent == nil {
			return nil, permission("Cannot update resource limit for ROOT domain %d, permission denied", d.ID)
		}
		if most := z.domainLimit(d.Parent, typ); most >= 0 && limit > most {
			return nil, api.Invalid("Domain %s(id: %s) has maximum allowed resource limit %d for %s, please specify a value less than or equal to %d",
				d.Parent.Name, d.Parent.UUID, most, limitTypes()[typ].name, most)
		}
		z.limits[limitKey{domain: d.ID, typ: typ}] = limit
		return obj{"resourcelimit": limitAnswer(z, c, nil, d, typ, limit)}, nil
	}
	a, err := ownerAccount(z, c)
	if err != nil {
		return nil, err
	}
	z.limits[limitKey{account: a.ID, typ: typ}] = limit
	return obj{"resourcelimit": limitAnswer(z, c, a, nil, typ, limit)}, nil
}

func countResources(z *Zone, c *call) (obj, error) {
	a, err := ownerAccount(z, c)
	if err != nil {
		return nil, err
	}
	var out []obj
	for typ, t := range limitTypes() {
		if c.has("resourcetype") && c.integer("resourcetype", -1) != typ {
			continue
		}
		one := obj{"resourcetype": itoa(typ), "resourcetypename": t.name, "resourcecount": z.tenancyHooks.used(a, typ)}
		z.owned(one, a)
		out = append(out, one)
	}
	return c.page("resourcecount", out), nil
}
