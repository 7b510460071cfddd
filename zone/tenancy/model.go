package tenancy

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/zone/kernel"
)

// The zone's objects live in memory and are mirrored, row by row, into the tables of the two databases. ID is the row's
// id, UUID the public one. Objects that CloudStack removes softly keep Removed; rules are really deleted.

// Domain is a CloudStack domain.
type Domain struct {
	ID      int64
	UUID    string
	Name    string
	Path    string // "/", "/reg/"
	Parent  *Domain
	Created time.Time
	Removed time.Time
}

// Account owns everything else.
type Account struct {
	ID      int64
	UUID    string
	Name    string
	Type    int // 0 user, RootAdmin, DomainAdmin or ProjectAccount
	Domain  *Domain
	State   string // enabled, disabled
	Created time.Time
	Removed time.Time
	Default bool // made by the installation
	// Project is whose own account this is; nil for an account of somebody's.
	Project *Project
}

// OwnerID is the account's internal id.
func (a *Account) OwnerID() int64 { return a.ID }

// DomainID is the internal id of the account's domain; 0 for an account that stands for an id only.
func (a *Account) DomainID() int64 {
	if a.Domain == nil {
		return 0
	}
	return a.Domain.ID
}

// User is a login of an account.
type User struct {
	ID                         int64
	UUID                       string
	Username, Password         string
	FirstName, LastName, Email string
	APIKey, SecretKey          string     // the newest pair
	Pairs                      []*KeyPair // all, where a user may have several
	State                      string     // enabled, disabled
	Account                    *Account
	Default                    bool // made by the installation
	Created                    time.Time
	Removed                    time.Time
}

// UserID is the internal id.
func (u *User) UserID() int64 { return u.ID }

// Owner is the user's account.
func (u *User) Owner() kernel.Owner { return u.Account }

// Privileged is true for admins of the root or of a domain.
func (u *User) Privileged() bool { return u.Account.Type != 0 }

// Root is true for admins of the root.
func (u *User) Root() bool { return u.Account.Type == 1 }

// Caller is the user who makes a call.
func Caller(c *kernel.Call) *User { return c.Caller.(*User) }

// Hooks are what accounts ask of higher rooms.
type Hooks struct {
	// Used counts what an account has of a limited resource.
	Used func(a *Account, resource int) int64
	// VMs counts an account's instances by state.
	VMs func(a *Account) (running, stopped int)
	// Remove removes an account with everything it owns.
	Remove func(ctx context.Context, a *Account) error
	// Owns says what keeps an account's project from going without cleanup, such as "1 Vpc"; empty for nothing.
	Owns func(a *Account) string
}

// The types of accounts that are no user's.
const (
	RootAdmin      = 1
	DomainAdmin    = 2
	ProjectAccount = 5 // of a project, without users (com.cloud.user.Account.Type)
)

// Key is the uuid and the internal id.
func (x *Domain) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Account) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *User) Key() (uuid string, id int64) { return x.UUID, x.ID }
