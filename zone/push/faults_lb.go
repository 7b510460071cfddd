package push

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

const (
	Start    = "start"
	ForGroup = "group"
)

// distortStart applies the planted faults that cut a command down to one network's rules.
func (mgr *Manager) distortStart(cmd *ConfigCommand, n *net.Network, aggregated bool) {
	if !(mgr.On(release.RestartRendersOneTier) && aggregated || mgr.On(fault.PushOtherTiersLost) && !aggregated) {
		return
	}
	cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b BalancerTO) bool {
		return !slices.ContainsFunc(mgr.LBRules.All(), func(r *Rule) bool { return r.UUID == b.UUID && r.Network == n })
	})
}

// distortLB applies the planted faults that change a command's rules.
func (mgr *Manager) distortLB(cmd *ConfigCommand, c Cause) {
	if mgr.On(fault.KeepAlivePushed) {
		cmd.KeepAlive = kernel.BoolText(true)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		mgr.distortCertificate(b)
		switch {
		case mgr.On(fault.SourceListDropped):
			b.CIDRs = ""
		case mgr.On(fault.SourceListCommas):
			b.CIDRs = strings.ReplaceAll(b.CIDRs, " ", ",")
		}
		if mgr.On(fault.PolicyLostWithMembers) && c.Why == Members && c.Rule != nil && c.Rule.UUID == b.UUID {
			b.Stickiness = nil
		}
	}
}

// distortCertificate applies the planted faults of a rule's certificate.
func (mgr *Manager) distortCertificate(b *BalancerTO) {
	if b.Certificate == nil {
		return
	}
	if _, had := mgr.firstCertificates[b.UUID]; !had {
		mgr.firstCertificates[b.UUID] = *b.Certificate
	}
	switch {
	case mgr.On(fault.ChainNotPushed):
		bare := *b.Certificate
		bare.Chain = ""
		b.Certificate = &bare
	case mgr.On(fault.CertificateNotPushed):
		b.Certificate = nil
	case mgr.On(fault.CertificateStale):
		first := mgr.firstCertificates[b.UUID]
		first.Revoked = b.Certificate.Revoked
		b.Certificate = &first
	case mgr.On(fault.CertificateNotRemoved):
		b.Certificate.Revoked = kernel.BoolText(false)
	}
}
