// Package push brings load balancer rules to the virtual routers: it holds the rules as a router sees them, builds
// each command, logs it as the management server does, and delivers the commands to a router one after the other.
// Before changing it know that the zone's lock is released while a command is on its way.
package push

import (
	"encoding/json"
	"io"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/store"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

// Manager keeps load balancer rules on their way to the routers.
type Manager struct {
	*kernel.Kernel
	tenancy *tenancy.Manager
	net     *net.Manager
	compute *compute.Manager

	managementLog io.Writer
	Balancers     []*net.Router // VMs of internal load balancing
	LBRules       store.Table[*Rule]
	GoneRules     []*Rule // deleted ones, where rules are deleted softly
	lanes         map[int64]*lane
	// previous is the last content built for each router; push-stale sends it once more.
	previous map[int64]json.RawMessage
	// lastPolicy is the last policy that each rule was pushed with, onceDisabled the rules whose group was ever
	// disabled, ghosts the deleted rules: what planted faults remember.
	lastPolicy map[string][]StickinessTO
	// firstCertificates are those that each rule was pushed with first, for another planted fault.
	firstCertificates map[string]certificateTO
	OnceDisabled      map[string]bool
	Ghosts            []*Rule
	// built counts the commands, for faults that do something else each time.
	built int
	// late are the pushes that the next stickiness change of their router may overtake, by router id.
	late map[int64]*latePush
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager,
	log io.Writer) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks, compute: instances, managementLog: log,
		firstCertificates: map[string]certificateTO{}}
}
