package firewall

import (
	"net/netip"
	"time"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Rule is what the shared id sequence cloud.firewall_rules numbers: LB, port forwarding, firewall, static NAT
// (facts: cloudstack.md 1.4, joined inheritance of FirewallRuleVO).
type Rule struct {
	ID        int64
	UUID      string
	Purpose   string // LoadBalancing, PortForwarding, Firewall, StaticNat
	State     string // Staged, Add, Active, Revoke
	Address   *net.Address
	Network   *net.Network // nil for a firewall rule of a VPC
	VPC       *net.VPC     // that such a rule belongs to
	Account   *tenancy.Account
	StartPort int
	EndPort   int
	Protocol  string
	CIDRs     []string
	// Traffic is Egress for a rule of what leaves a network, which has no address; Destinations are then where to.
	Traffic      string
	Destinations []string
	Created      time.Time
	Related      *Rule
}

// Key implements store.Object.
func (r *Rule) Key() (uuid string, id int64) { return r.UUID, r.ID }

// PFRule is a port forwarding rule.
type PFRule struct {
	Rule
	VM           *compute.VM
	VMIP         netip.Addr
	PrivateStart int
	PrivateEnd   int
}
