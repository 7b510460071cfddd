// Package site holds what concerns the whole zone: how a pristine or a bare server begins, zone deployment, what a
// server tells of itself, account removal, and changes that nobody makes to a live site.
package site

import (
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/metering"
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

// Manager keeps the zone as a whole.
type Manager struct {
	*kernel.Kernel
	Hooks     Hooks
	tenancy   *tenancy.Manager
	net       *net.Manager
	compute   *compute.Manager
	firewall  *firewall.Manager
	push      *push.Manager
	autoscale *autoscale.Manager
	metering  *metering.Manager

	startSettings map[string]string
	// deployed is nil but on a server that was opened bare.
	deployed *deployment
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, networks *net.Manager, instances *compute.Manager,
	rules *firewall.Manager, pushes *push.Manager, scaling *autoscale.Manager, meters *metering.Manager,
	settings map[string]string) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, net: networks, compute: instances, firewall: rules, push: pushes,
		autoscale: scaling, metering: meters, startSettings: settings}
}
