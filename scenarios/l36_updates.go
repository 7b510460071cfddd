package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// pushNeeds is what every scenario needs that looks at pushes and not at clients.
func pushNeeds() []harness.Capability { return []harness.Capability{harness.API, harness.PushLog} }

// renameAlone: the control is a new algorithm, which must be pushed.
func renameAlone() harness.Scenario {
	return harness.Scenario{
		ID: "L-36", Title: "a new name of a rule leaves the router alone", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.UpdatePushesAlways),
			Why: "what updateLoadBalancerRule leaves unsaid counts as changed: each new name reconfigures the router " +
				"(docs/findings/rename-pushes.md)", Classes: []result.Class{result.PushCount}},
		Twins: []release.Knob{release.UpdatePushesAlways, fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			pushes := tier.CountPushes()
			r.Update(cloud.Params{"algorithm": "leastconn", "protocol": "tcp"})
			pushes.ExpectSent("a new algorithm", 1)
			r.Update(cloud.Params{"name": t.Unique("lb-renamed")})
			pushes.ExpectSent("a new name", 0)
		}),
	}
}

// protocolSpelling: the control is the same update in small letters.
func protocolSpelling() harness.Scenario {
	return harness.Scenario{
		ID: "L-37", Title: "a protocol in capitals is taken by an update as it is by a creation", Group: result.GroupLB,
		Priority: 1, Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.ProtocolCheckedExactly),
			Why: "updateLoadBalancerRule compares the protocol's name letter by letter " +
				"(docs/findings/protocol-spelling.md)", Classes: []result.Class{result.WrongRefusal}},
		Twins: []release.Knob{release.ProtocolCheckedExactly, fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "TCP"}).Assign(tier.VMs(1)...)
			t.ExpectCarriedOut(r.TryUpdate(cloud.Params{"protocol": "tcp", "algorithm": "source"}),
				"updateLoadBalancerRule protocol=tcp")
			t.ExpectCarriedOut(r.TryUpdate(cloud.Params{"protocol": "TCP", "algorithm": "leastconn"}),
				"updateLoadBalancerRule protocol=TCP")
			t.ExpectContent(tier)
		}),
	}
}

// sourceListForms: the control is another list, which must be pushed.
func sourceListForms() harness.Scenario {
	return harness.Scenario{
		ID: "L-38", Title: "a source list has one form, however it was given", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11568"}, Needs: pushNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.CIDRListTwoForms),
			Why: "a source list is stored with blanks by createLoadBalancerRule and with commas by " +
				"updateLoadBalancerRule (docs/findings/cidr-list-two-forms.md)",
			Classes: []result.Class{result.WrongForm}},
		Twins: []release.Knob{release.CIDRListTwoForms, fault.SourceListUnlisted, fault.SourceListDropped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp",
				CIDRs: []string{"10.0.0.0/8", "192.168.0.0/16"}}).Assign(tier.VMs(1)...)
			before := r.Listed()
			t.ExpectContent(tier)
			t.ExpectSourceList(r, "10.0.0.0/8 192.168.0.0/16")
			if !t.HasParameter("updateLoadBalancerRule", "cidrlist") {
				t.Note("not tried", "updateLoadBalancerRule has no cidrlist: a list has one form, that of its creation")
				return
			}
			pushes := t.PushCount(tier)
			r.Update(cloud.Params{"cidrlist": "10.0.0.0/8", "algorithm": "roundrobin", "protocol": "tcp"})
			t.ExpectPushes(tier, pushes, 1)
			t.ExpectContent(tier)
			r.Update(cloud.Params{"cidrlist": "10.0.0.0/8,192.168.0.0/16", "algorithm": "roundrobin",
				"protocol": "tcp"})
			t.ExpectContent(tier)
			t.ExpectSourceList(r, before.Cidrlist)
		}),
	}
}

// unknownAlgorithm: the control is an algorithm that there is.
func unknownAlgorithm() harness.Scenario {
	return harness.Scenario{
		ID: "L-39", Title: "an update to an algorithm that does not exist is refused", Group: result.GroupLB,
		Priority: 1, Guards: []string{"#9698"}, Needs: pushNeeds(),
		KnownBad: always(release.AlgorithmUnchecked, "updateLoadBalancerRule takes any text as the algorithm "+
			"(docs/findings/algorithm-unchecked.md)", result.NotRefused, result.WrongRefusal, result.HalfChanged),
		Cures: []release.Knob{release.AlgorithmUnchecked.Off()},
		Twins: []release.Knob{fault.AlgorithmUpdateIgnored, fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			r.Update(cloud.Params{"algorithm": "leastconn", "protocol": "tcp"})
			t.ExpectAlgorithm(r, nil, "leastconn")
			t.ExpectContent(tier)
			before := r.Listed()
			t.ExpectRefused(431, "updateLoadBalancerRule", account, cloud.Params{"id": r.ID, "algorithm": "foo",
				"protocol": "tcp"})
			t.ExpectUnchanged(before, r)
		}),
	}
}

// portZero: the control is the rule beside them, with ports that a router can serve.
func portZero() harness.Scenario {
	return harness.Scenario{
		ID: "L-40", Title: "port 0 is refused, public and private", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: always(release.PortZeroAccepted,
			"createLoadBalancerRule takes port 0, which no router can serve (docs/findings/port-zero.md)",
			result.NotRefused),
		Cures: []release.Knob{release.PortZeroAccepted.Off()},
		Twins: []release.Knob{fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("control", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			for name, f := range map[string]story.Form{"public": {Public: story.NoPort},
				"private": {Private: story.NoPort}} {
				_, refusal := tier.TryLoadBalancerAs(name, f)
				t.ExpectRefusal(refusal, 431, "a rule with "+name+" port 0")
			}
			t.ExpectListed(r)
			t.ExpectContent(tier, r)
		}),
	}
}

// updateRolledBack: the control is the same update, which succeeds when its push does.
func updateRolledBack() harness.Scenario {
	return harness.Scenario{
		ID: "L-41", Title: "an update whose push fails changes nothing", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: []harness.Capability{harness.API, harness.PushLog, harness.PushFault},
		KnownBad: always(release.UpdateProtocolNotRestored,
			"the new protocol of an update whose push failed is kept: the next push of any rule brings "+
				"it into force (docs/findings/protocol-not-restored.md)", result.HalfChanged),
		Cures: []release.Knob{release.UpdateProtocolNotRestored.Off()},
		Twins: []release.Knob{fault.FailedPushSucceeds, fault.AlgorithmUpdateIgnored, fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			before := r.Listed()
			change := cloud.Params{"algorithm": "source", "protocol": "tcp-proxy"}
			fails := t.FailPushes(1)
			t.ExpectError(r.TryUpdate(change), "updating A while its router does not answer")
			fails.RequireMet(1)
			fails.End()
			t.ExpectUnchanged(before, r)
			t.ExpectCarriedOut(r.TryUpdate(change), "the same update with a router that answers")
			t.ExpectAlgorithm(r, nil, "source")
			t.ExpectContent(tier)
		}),
	}
}

// protocolChanged: the control is a new algorithm, which must be pushed with the new protocol.
func protocolChanged() harness.Scenario {
	return harness.Scenario{
		ID: "L-42", Title: "a new protocol of a live rule reaches the router", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.ProtocolUpdateNotPushed),
			Why: "updateLoadBalancerRule pushes for a new algorithm only: a new protocol waits for the next push, " +
				"LoadBalancingRulesManagerImpl.java@4.20.0.0", Classes: []result.Class{result.PushContent}},
		Cures: []release.Knob{release.ProtocolUpdateNotPushed.Off()},
		Twins: []release.Knob{fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			t.ExpectContent(tier)
			r.Update(cloud.Params{"protocol": "tcp-proxy"})
			t.ExpectContent(tier)
			r.Update(cloud.Params{"protocol": "tcp", "algorithm": "source"})
			t.ExpectContent(tier)
		}),
	}
}

// udpRule: the control is a tcp rule of the same network. A rule that was made before the network has a router is not
// held against what the router can do.
func udpRule() harness.Scenario {
	return harness.Scenario{
		ID: "L-46", Title: "a UDP rule is refused where no router serves UDP, or is not served as TCP",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#11468"},
		Needs: []harness.Capability{harness.API, harness.PushLog, harness.RouterFiles},
		KnownBad: everywhere("a UDP rule that is made before its network has a router is taken, and rendered as a TCP "+
			"listener (docs/findings/udp-rule-as-tcp.md)", result.WrongProtocol),
		Cures: []release.Knob{release.UDPUncheckedEarly.Off()},
		Twins: []release.Knob{fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			n := t.NewAccount().Isolated()
			udp, refusal := n.TryLoadBalancerAs("udp", story.Form{Protocol: "udp"})
			tcp := n.LoadBalancerAs("tcp", story.Form{Protocol: "tcp"})
			vms := n.VMs(2)
			if refusal == nil {
				udp.Assign(vms...)
			}
			tcp.Assign(vms...)
			t.ExpectSection(tcp, true)
			if refusal == nil {
				t.ExpectSection(udp, false)
			}
		}),
	}
}
