package push

import (
	"net/netip"
	"strings"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
)

// Rule is a load balancer rule.
type Rule struct {
	firewall.Rule
	Name, Text   string
	Algorithm    string // as typed by the user
	PrivateStart int
	PrivateEnd   int
	LBProtocol   string // "", tcp, udp, tcp-proxy
	Members      []*Member
	Former       []*Member // that were taken away
	Policies     []*Policy
	Group        Scaler // autoscale group on the rule; nil for none
	Display      bool
	Internal     bool // on an address of its own tier (scheme Internal)
	CommaCIDRs   bool // the source list is stored with commas
}

// SourceList is the source list as it is stored and listed.
func (r *Rule) SourceList() string {
	if r.CommaCIDRs {
		return strings.Join(r.CIDRs, ",")
	}
	return firewall.JoinCIDRs(r.CIDRs)
}

// Scaler is the autoscale group on a rule.
type Scaler interface {
	Disabled() bool
}

// Member maps a VM to an LB rule.
type Member struct {
	ID     int64
	VM     *compute.VM
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
