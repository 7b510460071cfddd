package tenancy

import (
	"strings"

	"github.com/stackproof/stackproof/zone/kernel"
)

// MayUse is CloudStack's access check: users act on their own account's objects.
func MayUse(mgr *Manager, c *kernel.Call, owner *Account, what string) error {
	a := Caller(c).Account
	if acts(a, owner) || a.Type == 1 || Caller(c) == mgr.System ||
		a.Type == 2 && mgr.Within(owner.Domain, a.Domain.UUID) {
		return nil
	}
	return Permission("Acct[%s-%s] does not have permission to operate with resource %s", a.UUID, a.Name, what)
}

// UserOf is the first user of an account, the system's where it has none.
func (mgr *Manager) UserOf(a *Account) *User {
	for _, u := range mgr.Users.All() {
		if u.Account == a {
			return u
		}
	}
	return mgr.System
}

// Key is an API or secret key: 64 random bytes in URL-safe base64 without padding, as registerUserKeys makes them.
func (mgr *Manager) Key() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	for range 86 {
		b.WriteByte(letters[mgr.Number(len(letters))])
	}
	return b.String()
}
