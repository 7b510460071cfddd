package push

import (
	"crypto/sha1" //nolint:gosec // a name, not a secret
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/tenancy"
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
	Certificate  *Bound
}

// SourceList is the source list as it is stored and listed.
func (r *Rule) SourceList() string {
	if r.CommaCIDRs {
		return strings.Join(r.CIDRs, ",")
	}
	return firewall.JoinCIDRs(r.CIDRs)
}

// Certificate is an uploaded certificate. The lab's tables have none of its kind, so that it lives in memory only.
type Certificate struct {
	UUID, Name       string
	Text, Key, Chain string // PEM
	Owner            *tenancy.Account
}

// Fingerprint is the SHA-1 of the certificate, as CertificateHelper.java@4.22.0.0 writes it.
func (c *Certificate) Fingerprint() string {
	block, _ := pem.Decode([]byte(c.Text))
	if block == nil {
		return ""
	}
	sum := sha1.Sum(block.Bytes) //nolint:gosec // as above
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// Bound is a certificate on a rule.
type Bound struct {
	*Certificate
	Revoke bool
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
	// Removed is when it was taken away; zero while it is a member.
	Removed time.Time
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
