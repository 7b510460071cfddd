package tenancy

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Shown is a domain's path as accounts and jobs show it: ROOT, ROOT/reg.
func (d *Domain) Shown() string { return "ROOT" + strings.TrimSuffix(d.Path, "/") }

// Owned adds an object's owner to its answer.
func (mgr *Manager) Owned(out obj, a *Account) {
	out["account"], out["domainid"], out["domain"] = a.Name, a.Domain.UUID, a.Domain.Name
	mgr.DomainPath(out, a.Domain.Path)
}

// DomainPath adds a path where the release answers it.
func (mgr *Manager) DomainPath(out obj, path string) {
	if !mgr.On(release.NoDomainPath) {
		out["domainpath"] = path
	}
}

// AccountDomain is the network domain of an account's networks.
func AccountDomain(a *Account) string { return fmt.Sprintf("cs%xcloud.internal", a.ID) }
