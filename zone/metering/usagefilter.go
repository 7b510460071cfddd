package metering

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// filter is a condition on cloud_usage.cloud_usage.
type filter struct {
	conditions []string
	args       []any
	none       bool // nothing can match
}

func (f *filter) add(condition string, args ...any) {
	f.conditions, f.args = append(f.conditions, condition), append(f.args, args...)
}

// usageFilter turns the parameters into a condition, in the order of UsageServiceImpl.java@4.20.0.0.
func usageFilter(mgr *Manager, c *kernel.Call) (*filter, error) {
	f := &filter{}
	if err := mgr.ofAccount(c, f); err != nil {
		return nil, err
	}
	start, _ := kernel.ParseDate(c.Str("startdate"))
	end, _ := kernel.ParseDate(c.Str("enddate"))
	if len(c.Str("enddate")) == len("2006-01-02") {
		end = end.Add(24*time.Hour - time.Second)
	}
	if start.After(end) {
		return nil, api.Invalid("Incorrect Date Range. Start date: %s is after end date:%s", c.Str("startdate"),
			c.Str("enddate"))
	}
	f.none = start.Equal(end)
	mgr.ofDomain(c, f)
	if c.Has("type") {
		f.add("usage_type=?", c.Str("type"))
	}
	if err := mgr.ofUsageID(c, f); err != nil {
		return nil, err
	}
	if !mgr.On(fault.UsageHiddenListed) {
		f.add("is_hidden=0")
	}
	f.add("start_date BETWEEN ? AND ?", start, end)
	f.add("end_date BETWEEN ? AND ?", start, end)
	return f, nil
}

// ofAccount: an account's name counts with its domain only. Whoever names no account sees, as the root's admin, all of
// them, else its own; with isrecursive only an id counts.
func (mgr *Manager) ofAccount(c *kernel.Call, f *filter) error {
	account := mgr.tenancy.AccountByUUID(c.Str("accountid"))
	project := mgr.tenancy.ProjectByUUID(c.Str("projectid"))
	if project != nil && account != nil {
		return api.Invalid("Projectid and accountId can't be specified together")
	}
	if project != nil {
		f.add("account_id=?", project.Account.ID)
		return nil
	}
	if name := c.Str("account"); account == nil && name != "" && c.Has("domainid") {
		domain := mgr.tenancy.DomainByUUID(c.Str("domainid"))
		i := slices.IndexFunc(mgr.tenancy.Accounts.All(), func(a *tenancy.Account) bool {
			return a.Removed.IsZero() && a.Name == name && a.Domain == domain
		})
		if i < 0 {
			return api.Invalid("Unable to find account %s in domain %d", name, domain.ID)
		}
		account = mgr.tenancy.Accounts.All()[i]
	}
	if account == nil && tenancy.Caller(c).Account.Type != tenancy.RootAdmin {
		account = tenancy.Caller(c).Account
	}
	if account != nil && (!c.Boolean("isrecursive", false) || c.Has("accountid")) {
		f.add("account_id=?", account.ID)
	}
	return nil
}

// ofDomain: a domain's admin sees its own domain where none is named.
func (mgr *Manager) ofDomain(c *kernel.Call, f *filter) {
	domain := mgr.tenancy.DomainByUUID(c.Str("domainid"))
	if domain == nil && tenancy.Caller(c).Account.Type == tenancy.DomainAdmin {
		domain = tenancy.Caller(c).Account.Domain
	}
	switch {
	case domain == nil:
	case c.Boolean("isrecursive", false):
		var marks []string
		var ids []any
		for _, d := range mgr.tenancy.Domains.All() {
			if mgr.tenancy.Within(d, domain.UUID) {
				marks, ids = append(marks, "?"), append(ids, d.ID)
			}
		}
		f.add(fmt.Sprintf("domain_id IN (%s)", strings.Join(marks, ",")), ids...)
	default:
		f.add("domain_id=?", domain.ID)
	}
}

// ofUsageID: types that no case was written for, such as those of networks and VPCs, have no record by id.
func (mgr *Manager) ofUsageID(c *kernel.Call, f *filter) error {
	u := c.Str("usageid")
	if u == "" {
		return nil
	}
	if !c.Has("type") {
		return api.Invalid("Usageid must be specified together with usageType")
	}
	usageType := c.Integer("type", 0)
	if o := net.OfferingByUUID(mgr.net.NetworkOfferings, u); usageType == 13 && o != nil &&
		!mgr.On(release.UsageNICFilterEmpty) {
		f.add("offering_id=?", o.ID)
		return nil
	}
	id, ok := mgr.internalID(usageType, u)
	f.none = f.none || !ok
	f.add("usage_id=?", id)
	return nil
}

// internalID finds what a usage id of a type means; rules that are deleted are not found where their rows go
// with them.
func (mgr *Manager) internalID(usageType int, uuid string) (int64, bool) {
	switch usageType {
	case 1, 2, 25, 28:
		if vm := mgr.compute.VMByUUID(uuid); vm != nil {
			return vm.ID, true
		}
	case 3:
		if a := mgr.net.AddressByUUID(uuid); a != nil {
			return a.ID, true
		}
	case 6:
		if v := mgr.compute.VolumeByUUID(uuid); v != nil {
			return v.ID, true
		}
	case 11:
		if r := cmp.Or(mgr.push.LBRuleByUUID(uuid), mgr.push.GoneRule(uuid)); r != nil {
			return r.ID, true
		}
	case 12:
		if r := cmp.Or(mgr.firewall.PFRuleByUUID(uuid), mgr.firewall.GonePFRule(uuid)); r != nil {
			return r.ID, true
		}
	case 14:
		if u := mgr.net.VPNUsers.ByUUID(uuid); u != nil {
			return u.ID, true
		}
	}
	return 0, false
}
