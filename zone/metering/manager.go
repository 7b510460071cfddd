// Package metering starts and ends the zone's usage servers and answers the usage API.
package metering

import (
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

type (
	command = kernel.Command[*Manager]
	param   = kernel.Param
)

// Manager keeps usage servers and records.
type Manager struct {
	*kernel.Kernel
	tenancy  *tenancy.Manager
	net      *net.Manager
	compute  *compute.Manager
	firewall *firewall.Manager
	push     *push.Manager

	seed   int64
	Usages []*usageProcess // running usage servers, oldest first
	// usagePID is the process id of the last usage server.
	usagePID int
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager,
	rules *firewall.Manager, pushes *push.Manager, seed int64) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks, compute: instances, firewall: rules, push: pushes,
		seed: seed}
}
