// Package lb carries out the commands of load balancer rules, their members, stickiness policies, certificates and
// internal load balancing.
package lb

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

// Manager keeps load balancing.
type Manager struct {
	*kernel.Kernel
	parts
	tenancy  *tenancy.Manager
	net      *net.Manager
	compute  *compute.Manager
	firewall *firewall.Manager
	push     *push.Manager

	Hooks Hooks
	certs []*push.Certificate
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager,
	rules *firewall.Manager, pushes *push.Manager) *Manager {
	return &Manager{Kernel: k, parts: parts{k}, tenancy: accounts, net: networks, compute: instances, firewall: rules,
		push: pushes}
}
