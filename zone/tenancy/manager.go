// Package tenancy holds domains, accounts and users, who may do what, resource limits and the configuration.
package tenancy

import (
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/store"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

type (
	command = kernel.Command[*Manager]
	param   = kernel.Param
)

// Manager keeps accounts and what they may.
type Manager struct {
	*kernel.Kernel

	UserRole, AdminRole string
	Hooks               Hooks
	Domains             store.Table[*Domain]
	Accounts            store.Table[*Account]
	Users               store.Table[*User]
	Projects            []*Project
	System              *User // what the integration port and background work act as
	Admin               *User
	Limits              map[LimitKey]int64
	defaultLimits       defaultLimits
	Config              []*Setting
	Tags                []*Tag
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel) *Manager {
	return &Manager{Kernel: k, Limits: map[LimitKey]int64{}}
}
