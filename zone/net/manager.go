// Package net holds networks, VPCs, public addresses, virtual routers and VPN users, with the offerings, templates
// and hosts that every object of the zone is made from.
package net

import (
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/store"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// obj is a JSON object of an answer; nil values are left out when it is written.
type obj = map[string]any

type (
	command = kernel.Command[*Manager]
	param   = kernel.Param
)

// Manager keeps networks, VPCs, addresses and routers.
type Manager struct {
	*kernel.Kernel
	tenancy *tenancy.Manager

	Bare, Created    bool // a server that was opened bare; its zone has been created
	Pushes           Pushes
	Hooks            Hooks
	VPCs             store.Table[*VPC]
	Networks         store.Table[*Network]
	Routers          store.Table[*Router]
	Hosts            []*Host
	Addresses        store.Table[*Address]
	VPNUsers         store.Table[*VPNUser]
	ACLs             []*ACL
	nics             map[nicKey]routerNIC
	ServiceOfferings []*Offering
	NetworkOfferings []*Offering
	VPCOfferings     []*Offering
	DiskOfferings    []*Offering
	Templates        []*Offering
	Site             *Site
}

// New returns an empty room on the rooms below it; its hooks are set before the first call.
func New(k *kernel.Kernel, accounts *tenancy.Manager, pushes Pushes, bare bool) *Manager {
	return &Manager{Kernel: k, tenancy: accounts, Pushes: pushes, Bare: bare, nics: map[nicKey]routerNIC{}}
}
