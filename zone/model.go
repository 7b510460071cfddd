package zone

import (
	"context"
	"net/netip"
	"time"
)

// The zone's objects live in memory and are mirrored, row by row, into the tables of the two databases. ID is the row's
// id, UUID the public one. Objects that CloudStack removes softly keep Removed; rules are really deleted.

// Domain is a CloudStack domain.
type Domain struct {
	ID      int64
	UUID    string
	Name    string
	Path    string // "/", "/reg/"
	Parent  *Domain
	Created time.Time
	Removed time.Time
}

// Account owns everything else.
type Account struct {
	ID      int64
	UUID    string
	Name    string
	Type    int // 0 user, 1 root admin, 2 domain admin
	Domain  *Domain
	State   string // enabled, disabled
	Created time.Time
	Removed time.Time
	Default bool // made by the installation
}

// OwnerID is the account's internal id.
func (a *Account) OwnerID() int64 { return a.ID }

// DomainID is the internal id of the account's domain; 0 for an account that stands for an id only.
func (a *Account) DomainID() int64 {
	if a.Domain == nil {
		return 0
	}
	return a.Domain.ID
}

// User is a login of an account.
type User struct {
	ID                         int64
	UUID                       string
	Username, Password         string
	FirstName, LastName, Email string
	APIKey, SecretKey          string
	State                      string // enabled, disabled
	Account                    *Account
	Created                    time.Time
	Removed                    time.Time
}

// UserID is the internal id.
func (u *User) UserID() int64 { return u.ID }

// Owner is the user's account.
func (u *User) Owner() Owner { return u.Account }

// Privileged is true for admins of the root or of a domain.
func (u *User) Privileged() bool { return u.Account.Type != 0 }

// callerOf is the user who makes a call.
func callerOf(c *call) *User { return c.caller.(*User) }

// tenancyHooks are what accounts ask of higher rooms.
type tenancyHooks struct {
	// used counts what an account has of a limited resource.
	used func(a *Account, resource int) int64
	// vms counts an account's instances by state.
	vms func(a *Account) (running, stopped int)
	// remove removes an account with everything it owns.
	remove func(ctx context.Context, a *Account) error
}

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
	Account  *Account
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
	Account     *Account
	VPC         *VPC // nil for an isolated network
	CIDR        netip.Prefix
	Gateway     netip.Addr
	State       string // Allocated, Implementing, Implemented, Shutdown, Destroy
	VLAN        int
	Created     time.Time
	Removed     time.Time
	NextGuestIP int
	MACs        int // last byte given out; 2 is the router's
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
	Account   *Account
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

// VM is an instance.
type VM struct {
	ID                int64
	UUID              string
	Name, DisplayName string
	InstanceName      string // i-2-4-VM
	Account           *Account
	UserID            int64
	State             string // Starting, Running, Stopped, Destroyed, Expunging
	Offering          *Offering
	Template          *Offering
	NICs              []*NIC
	Host              *Host
	Volume            *Volume
	Created           time.Time
	Updated           time.Time // last change of state
	Removed           time.Time
	Group             ScaleGroup // autoscale group it was made by; nil for none
	Backup            bool       // assigned to the backup offering
}

// Names are the uuid, the host name and the display name.
func (vm *VM) Names() (uuid, name, display string) { return vm.UUID, vm.Name, vm.DisplayName }

// ScaleGroup is the autoscale group of a VM.
type ScaleGroup interface {
	// Identity is the group's uuid and name; live is false for one that is removed.
	Identity() (uuid, name string, live bool)
}

// NIC ties a VM to a network.
type NIC struct {
	ID      int64
	UUID    string
	Network *Network
	IP      netip.Addr
	MAC     string
	Default bool
}

// Volume is a root or data disk.
type Volume struct {
	ID       int64
	UUID     string
	Name     string
	Size     int64 // bytes
	VM       *VM
	Account  *Account
	Offering *Offering
	Template *Offering
	State    string // Allocated, Ready, Destroy, Expunged
	Device   int    // 0 root
	Created  time.Time
	Removed  time.Time
}

// rule is what the shared id sequence cloud.firewall_rules numbers: LB, port forwarding, firewall, static NAT
// (facts: cloudstack.md 1.4, joined inheritance of FirewallRuleVO).
type rule struct {
	ID        int64
	UUID      string
	Purpose   string // LoadBalancing, PortForwarding, Firewall, StaticNat
	State     string // Staged, Add, Active, Revoke
	Address   *Address
	Network   *Network
	Account   *Account
	StartPort int
	EndPort   int
	Protocol  string
	CIDRs     []string
	Created   time.Time
	Related   *rule
}

// LBRule is a load balancer rule.
type LBRule struct {
	rule
	Name, Text   string
	Algorithm    string // as typed by the user
	PrivateStart int
	PrivateEnd   int
	LBProtocol   string // "", tcp, udp, tcp-proxy
	Members      []*Member
	Policies     []*Policy
	Group        Scaler // autoscale group on the rule; nil for none
	Display      bool
	Internal     bool // on an address of its own tier (scheme Internal)
}

// Scaler is the autoscale group on a rule.
type Scaler interface {
	Disabled() bool
}

// Member maps a VM to an LB rule.
type Member struct {
	ID     int64
	VM     *VM
	IP     netip.Addr
	Revoke bool
}

// Policy is a stickiness policy.
type Policy struct {
	ID      int64
	UUID    string
	Name    string
	Text    string
	Method  string
	Params  [][2]string // in stored order; flags hold "null"
	Revoke  bool
	Display bool
}

// PFRule is a port forwarding rule.
type PFRule struct {
	rule
	VM           *VM
	VMIP         netip.Addr
	PrivateStart int
	PrivateEnd   int
}

// Counter, Condition, ScalePolicy, ScaleProfile and Group are the autoscale objects.
type Counter struct {
	ID                            int64
	UUID                          string
	Name, Source, Value, Provider string
}

// Condition compares a counter with a threshold.
type Condition struct {
	ID        int64
	UUID      string
	Counter   *Counter
	Operator  string
	Threshold int64
	Account   *Account
}

// ScalePolicy is a scale-up or scale-down policy.
type ScalePolicy struct {
	ID         int64
	UUID       string
	Name       string
	Action     string // ScaleUp, ScaleDown
	Duration   int    // seconds
	Quiet      int    // seconds
	Conditions []*Condition
	Account    *Account
}

// ScaleProfile says how members are deployed.
type ScaleProfile struct {
	ID       int64
	UUID     string
	Offering *Offering
	Template *Offering
	Account  *Account
	Deploy   map[string]string
	Counter  map[string]string
	Grace    int // seconds
	UserID   *User
}

// Group is an autoscale VM group.
type Group struct {
	ID          int64
	UUID        string
	Name        string
	Rule        *LBRule
	Profile     *ScaleProfile
	Up, Down    []*ScalePolicy
	Min, Max    int
	Interval    int    // seconds
	State       string // NEW, ENABLED, DISABLED, SCALING, REVOKE
	Account     *Account
	Members     []*VM
	NextSeq     int
	Created     time.Time
	Removed     time.Time
	NextCheck   time.Time
	LastQuietUp time.Time
}

// Identity is the group's uuid and name; live is false for one that is removed.
func (g *Group) Identity() (uuid, name string, live bool) { return g.UUID, g.Name, g.Removed.IsZero() }

// Disabled says whether the group is switched off.
func (g *Group) Disabled() bool { return g.State == groupDisabled }
