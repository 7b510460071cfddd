// Package autoscale holds autoscale groups with their counters, conditions, policies and profiles, and the monitor
// that creates and removes members.
package autoscale

import (
	"time"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/store"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

type (
	command = kernel.Command[*Manager]
	param   = kernel.Param
)

// Manager keeps autoscale groups.
type Manager struct {
	*kernel.Kernel
	tenancy  *tenancy.Manager
	net      *net.Manager
	compute  *compute.Manager
	firewall *firewall.Manager
	push     *push.Manager
	lb       *lb.Manager

	Hooks      Hooks
	Counters   store.Table[*Counter]
	Conditions store.Table[*Condition]
	Policies   store.Table[*ScalePolicy]
	Profiles   store.Table[*ScaleProfile]
	Groups     store.Table[*Group]
	Schedules  []*Schedule
	// memberRows are the rows of groups' members by VM id, scaling the monitors' memory by group id, quiet the last
	// quiet time by policy id.
	memberRows map[int64]int64
	scaling    map[int64]*scaling
	quiet      map[int64]time.Time
	evaluating bool
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager,
	rules *firewall.Manager, pushes *push.Manager, balancing *lb.Manager) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks, compute: instances, firewall: rules, push: pushes,
		lb: balancing}
}
