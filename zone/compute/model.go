package compute

import (
	"net/netip"
	"time"

	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// VM is an instance.
type VM struct {
	ID                int64
	UUID              string
	Name, DisplayName string
	InstanceName      string // i-2-4-VM
	Account           *tenancy.Account
	UserID            int64
	State             string // Starting, Running, Stopped, Destroyed, Expunging
	Offering          *net.Offering
	Template          *net.Offering
	NICs              []*NIC
	Host              *net.Host
	Volume            *Volume
	Created           time.Time
	Updated           time.Time // last change of state
	Removed           time.Time
	Group             Group  // autoscale group it was made by; nil for none
	GroupName         string // of instances, by name only; "" for none
	Details           Details
	Backup            bool // assigned to the backup offering
}

// Names are the uuid, the host name and the display name.
func (vm *VM) Names() (uuid, name, display string) { return vm.UUID, vm.Name, vm.DisplayName }

// Group is the autoscale group of a VM.
type Group interface {
	// Identity is the group's uuid and name; live is false for one that is removed.
	Identity() (uuid, name string, live bool)
}

// NIC ties a VM to a network.
type NIC struct {
	ID      int64
	UUID    string
	Network *net.Network
	IP      netip.Addr
	MAC     string
	Default bool
	// Secondary are further addresses (addIpToNic).
	Secondary []*Secondary
}

// Volume is a root or data disk.
type Volume struct {
	ID       int64
	UUID     string
	Name     string
	Size     int64 // bytes
	VM       *VM
	Account  *tenancy.Account
	Offering *net.Offering
	Template *net.Offering
	State    string // Allocated, Ready, Destroy, Expunged
	Device   int    // 0 root
	Created  time.Time
	Removed  time.Time
}

// Key is the uuid and the internal id.
func (x *VM) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Volume) Key() (uuid string, id int64) { return x.UUID, x.ID }
