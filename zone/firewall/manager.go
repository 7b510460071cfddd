// Package firewall holds the rules of public addresses that are not load balancing: firewall, port forwarding and
// static NAT. All rules, load balancer rules included, share the id sequence of cloud.firewall_rules, which is kept
// here.
package firewall

import (
	"github.com/stackproof/stackproof/zone/compute"
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

// Manager keeps firewall, port forwarding and static NAT rules.
type Manager struct {
	*kernel.Kernel
	tenancy *tenancy.Manager
	net     *net.Manager
	compute *compute.Manager

	Hooks   Hooks
	PFRules store.Table[*PFRule]
	GonePF  []*PFRule // deleted ones, where rules are deleted softly
	FWRules store.Table[*Rule]
	Egress  store.Table[*Rule] // rules of what leaves isolated networks
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks, compute: instances}
}
