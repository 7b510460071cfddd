package tenancy

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

// CheckLimit refuses one more of a resource than an account or a domain above it may have.
func (mgr *Manager) CheckLimit(a *Account, typ int) error { return mgr.CheckLimitOf(a, typ, 1) }

// CheckLimitOf refuses what would exceed a limit: 532 for addresses, which have an exception of their own, 535 for
// everything else (IpAddressManagerImpl.java, ApiServer.java@4.20.0.0). All accounts of a domain share its limit,
// whatever theirs are: a run whose accounts lie in one domain meets it first
// (ResourceLimitManagerImpl.java@4.20.0.0, checkDomainResourceLimit).
func (mgr *Manager) CheckLimitOf(a *Account, typ int, amount int64) error {
	for d := a.Domain; d != nil && d.Parent != nil && a.Type != 1; d = d.Parent {
		limit, used := mgr.DomainLimit(d, typ), mgr.usedInDomain(d, typ)
		if limit >= 0 && used+amount > limit {
			return &api.Error{Code: api.CodeAllocation, CSCode: api.CSAPIException,
				Text: fmt.Sprintf("Maximum domain resource limits of Type '%s' for Domain Id = %s is exceeded: "+
					"Domain Resource Limit = %d, Current Domain Resource Amount = %d, Current Resource "+
					"Reservation = 0, Requested Resource Amount = %d.",
					LimitTypes()[typ].Name, d.UUID, limit, used, amount)}
		}
	}
	limit, used := mgr.limit(a, typ), mgr.Hooks.Used(a, typ)
	if limit < 0 || used+amount <= limit {
		return nil
	}
	if typ == LimitIP {
		return &api.Error{Code: api.CodeResourceLimit, CSCode: api.CSAPIException,
			Text: fmt.Sprintf("Maximum number of public IP addresses for account: %s has been exceeded.", a.Name)}
	}
	return &api.Error{Code: api.CodeAllocation, CSCode: api.CSAPIException,
		Text: fmt.Sprintf("Maximum amount of resources of Type = '%s' for Account Name = %s, Domain Id = %s has "+
			"been exceeded. Account Resource Limit = %d, Current Account Resource Amount = %d, Requested "+
			"Resource Amount = %d.",
			LimitTypes()[typ].Name, a.Name, a.Domain.UUID, limit, used, amount)}
}

// DomainLimit is a domain's limit, -1 for none; one that has none of its own has its parents'.
func (mgr *Manager) DomainLimit(d *Domain, typ int) int64 {
	if d.Parent == nil {
		return -1 // ROOT has none
	}
	for at := d; at.Parent != nil; at = at.Parent {
		if n, ok := mgr.Limits[LimitKey{domain: at.ID, typ: typ}]; ok {
			return n
		}
	}
	return mgr.defaultLimits.domain[typ]
}

// usedInDomain counts what all accounts of a domain and of those below it have.
func (mgr *Manager) usedInDomain(d *Domain, typ int) (n int64) {
	for _, a := range mgr.Accounts.All() {
		if a.Domain != nil && strings.HasPrefix(a.Domain.Path, d.Path) {
			n += mgr.Hooks.Used(a, typ)
		}
	}
	return n
}
