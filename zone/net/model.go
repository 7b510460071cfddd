package net

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/stackproof/stackproof/zone/tenancy"
)

// Offering is a service, network or VPC offering, or a template: what the scenarios read of them.
type Offering struct {
	ID   int64
	UUID string
	Name string
	// Answer holds the fields of the list answer beside id and name.
	Answer obj
	// Services are the network services, in the listed order ("Lb", "SourceNat", ...).
	Services []string
	ForVPC   bool
	// KeepAlive and MaxConn are HAProxy settings of a network offering.
	KeepAlive bool
	MaxConn   int
}

// VPC is a virtual private cloud with its router(s).
type VPC struct {
	ID       int64
	UUID     string
	Name     string
	Text     string
	CIDR     netip.Prefix
	Offering *Offering
	Account  *tenancy.Account
	State    string // Enabled, Inactive
	Domain   string // network domain
	Created  time.Time
	Removed  time.Time
	SourceIP *Address
}

// Network is an isolated network or a VPC tier.
type Network struct {
	ID          int64
	UUID        string
	Name        string
	Text        string
	Offering    *Offering
	Account     *tenancy.Account
	VPC         *VPC // nil for an isolated network
	CIDR        netip.Prefix
	Gateway     netip.Addr
	State       string // Allocated, Implementing, Implemented, Shutdown, Destroy
	VLAN        int
	Created     time.Time
	Removed     time.Time
	NextGuestIP int
	ACL         string // uuid of its ACL; "" where none was asked for
	MACs        int    // last byte given out; 2 is the router's
}

// Router is a virtual router (simulated VM): of a VPC, or of an isolated network.
type Router struct {
	ID        int64
	UUID      string
	Name      string // r-3-VM
	VPC       *VPC
	Network   *Network
	State     string // Running, Stopped
	Redundant string // "", PRIMARY, BACKUP
	Internal  bool   // a balancer VM of one internal address, GuestIP
	PublicIP  netip.Addr
	GuestIP   netip.Addr
	LinkIP    netip.Addr
	Host      *Host
	NICUUID   string
	Seq       int64 // last agent sequence
	Created   time.Time
	// Holds says that the router has a balancing configuration which it refused (ErrRefused), and has taken none since.
	Holds bool
}

// Host is a simulated hypervisor host.
type Host struct {
	ID   int64
	UUID string
	Name string
	// URL and Cluster are those of a host that was added to a bare server.
	URL, Cluster string
	// Memory in bytes and Cores are what its URL says; 0 is the simulator's default.
	Memory, Cores int64
}

// Address is a public address.
type Address struct {
	ID        int64
	UUID      string
	IP        netip.Addr
	Account   *tenancy.Account
	VPC       *VPC
	Network   *Network // tier or isolated network it is tied to; nil when only the VPC's
	SourceNAT bool
	StaticNAT bool
	Portable  bool
	State     string // Free, Allocated, Releasing
	Allocated time.Time
	// StaticVM and StaticIP are where static NAT leads.
	StaticVM StaticTarget
	StaticIP netip.Addr
}

// StaticTarget is the instance that static NAT leads to.
type StaticTarget interface {
	// Names are the uuid, the host name and the display name.
	Names() (uuid, name, display string)
}

// Push is one LoadBalancerConfigCommand on its way to a router.
type Push struct {
	Router  string          // r-3-VM
	Seq     int64           // agent sequence, rising per router
	Command json.RawMessage // {"com.cloud.agent.api.routing.LoadBalancerConfigCommand":{...}}
	Line    string          // the management server's log line
	// Aggregated: sent in bulk at router start (confirmed.md 19).
	Aggregated bool
}

// ErrRefused is the answer of a router that looked at what was pushed and refuses it.
var ErrRefused = errors.New("the router refuses the configuration")

// Pushes receives pushes. An error is a router that answered result=false: the zone rolls back as the release does.
type Pushes interface {
	Push(ctx context.Context, p Push) error
	// RouterState tells that a router was started, stopped or destroyed.
	RouterState(ctx context.Context, router, state string) error
}

// Site is the one zone ("Sandbox-simulator") with what hangs on it.
type Site struct {
	ID                                      int64
	UUID                                    string
	Token                                   string
	PodUUID, PhysicalNetworkUUID, VLANUUID  string
	PublicNetwork, ControlNetwork           *Network
	RouterOffering, RouterTemplate, VMImage *Offering
	OSType                                  string
	BackupOffering                          string
}

// Key is the uuid and the internal id.
func (x *VPC) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Network) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Router) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *Address) Key() (uuid string, id int64) { return x.UUID, x.ID }

// Key is the uuid and the internal id.
func (x *VPNUser) Key() (uuid string, id int64) { return x.UUID, x.ID }
