// Package compute holds instances, volumes and backups, and the mocks of the simulated agents.
package compute

import (
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/store"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

type (
	command = kernel.Command[*Manager]
	param   = kernel.Param
)

// Manager keeps instances and volumes.
type Manager struct {
	*kernel.Kernel
	tenancy *tenancy.Manager
	net     *net.Manager

	Hooks   Hooks
	VMs     store.Table[*VM]
	Volumes store.Table[*Volume]
	Backups []*Backup
	mocks   []*mock
	// lastMock numbers the mocks.
	lastMock int64
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks}
}
