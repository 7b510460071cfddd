package tenancy

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Shown is a domain's path as accounts and jobs show it: ROOT, ROOT/reg.
func (d *Domain) Shown() string { return "ROOT" + strings.TrimSuffix(d.Path, "/") }

// Owned adds an object's owner to its answer: a project, or an account (ApiResponseHelper.java@4.20.0.0,
// populateOwner).
func (mgr *Manager) Owned(out obj, a *Account) {
	out["domainid"], out["domain"] = a.Domain.UUID, a.Domain.Name
	if p := a.Project; p != nil {
		out["projectid"], out["project"] = p.UUID, p.Name
	} else {
		out["account"] = a.Name
	}
	mgr.DomainPath(out, a.Domain)
}

// DomainPath adds a domain's path where the release answers it.
func (mgr *Manager) DomainPath(out obj, d *Domain) {
	switch {
	case mgr.On(release.NoDomainPath):
	case mgr.On(release.DomainPathPretty):
		out["domainpath"] = d.Shown()
	default:
		out["domainpath"] = d.Path
	}
}

// AccountDomain is the network domain of an account's networks.
func AccountDomain(a *Account) string { return fmt.Sprintf("cs%xcloud.internal", a.ID) }
