package zone

import (
	"context"
	"slices"
	"strings"
	"time"
)

// defectKnobs are defects that every release has. They are on in all profiles; switched off, the zone does what the
// documentation promises, and a scenario that fails everywhere can be seen to pass.
func defectKnobs() []Knob {
	defect := func(part, name, about string) Knob {
		return Knob{Name: name, About: about, Part: part, Releases: Releases()}
	}
	return []Knob{
		defect("api", "replaced-policy-lost", "a stickiness policy whose replacement could not be pushed is gone with the next push (cloudstack.md 2.6)"),
		defect("api", "failed-delete-drops-members", "a load balancer rule whose delete could not be pushed loses its members with the next push (cloudstack.md 1.3)"),
		defect("api", "failed-remove-drops-member", "a member whose removal by address could not be pushed is gone with the next push (cloudstack.md 3.1)"),
		defect("api", "appcookie-accepted", "createLBStickinessPolicy takes AppCookie, which HAProxy refuses since 1.6 (#3253)"),
		defect("api", "sticky-values-unchecked", "createLBStickinessPolicy takes values that HAProxy refuses: table size 0, expiry above 24.8 days, contradicting cookie modes"),
		defect("api", "quiet-time-of-scale-up", "scaling down starts the quiet time of the scale-up policy, its own is not kept"),
		defect("api", "stopped-member-stays", "a stopped member of an autoscale group is replaced and stays behind the rule (#14185)"),
		defect("router", "keep-alive-leaks", "after the first keep-alive push a management server writes keep-alive defaults into every router's file (#14131)"),
	}
}

// lbFaultKnobs are planted faults of load balancing and autoscaling beside those of the stickiness story.
func lbFaultKnobs() []Knob {
	fault := func(part, name, about string) Knob { return Knob{Name: name, About: about, Part: part} }
	return []Knob{
		fault("api", "algorithm-update-ignored", "updateLoadBalancerRule answers success and keeps the algorithm"),
		fault("api", "instance-list-short", "listLoadBalancerRuleInstances leaves out the newest of several members"),
		fault("api", "failed-push-succeeds", "a push that the router answers with an error counts as done"),
		fault("api", "second-policy-kept", "replacing a stickiness policy leaves the former one alive"),
		fault("api", "source-list-unlisted", "listLoadBalancerRules shows no source list"),
		fault("api", "certificate-ignored", "assignCertToLoadBalancer answers success, and the rule goes on in plain text"),
		fault("api", "health-check-alarms", "the health check of a router's HAProxy is red whatever the router has"),
		fault("api", "quiet-time-ignored", "the quiet times of autoscale policies are not kept"),
		fault("api", "member-created-twice", "the group monitor makes one member more than the minimum"),

		fault("router", "push-lost-update", "the push of an algorithm change is never sent"),
		fault("router", "start-without-push", "a router that starts is not sent its configuration"),
		fault("router", "restart-one-tier", "a router that starts is sent the rules of one tier after the other, each push without the others (#8881)"),
		fault("router", "source-list-dropped", "pushes carry no source lists"),
		fault("router", "source-list-commas", "pushes carry source lists with commas (#11568)"),
		fault("router", "policy-lost-with-members", "the push of a rule's assigned or removed members leaves out the rule's policy"),
		fault("router", "backup-router-forgotten", "pushes go to the primary of redundant routers only"),
		fault("router", "expunge-without-push", "expunging a VM sends no push"),
		fault("router", "update-with-push", "updateAutoScaleVmGroup sends a push"),
		fault("router", "group-create-without-push", "createAutoScaleVmGroup sends no push"),
		fault("router", "push-other-tiers-lost", "pushes carry the rules of the changed tier only (#8745)"),
		fault("router", "internal-rules-on-router", "the VPC's router is sent the rules of internal load balancers, too"),
		fault("router", "internal-policies-dropped", "pushes to balancer VMs carry no stickiness policies"),
		fault("router", "keep-alive-pushed", "every push asks for keep-alive"),
	}
}

// routerFaultKnobs are planted on the router or on the way to it; the lab's fleet acts on them.
func routerFaultKnobs() []Knob {
	fault := func(name, about string) Knob { return Knob{Name: name, About: about, Part: "router"} }
	return []Knob{
		fault("router-change-lost-once", "every fourth push is answered with success and not acted upon"),
		fault("router-file-stale", "haproxy.cfg.new is written and not copied over haproxy.cfg"),
		fault("router-reload-skipped", "haproxy.cfg is replaced and HAProxy not reloaded"),
		fault("router-reload-twice", "each change reloads HAProxy two times"),
		fault("router-reloads-overlap", "a reload within 150 ms of the one before is lost: HAProxy goes on with the earlier file"),
		fault("router-start-empty", "HAProxy is not started with its router"),
		fault("router-table-cleared", "stick tables are emptied while clients come"),
		fault("router-table-tiny", "stick tables are written with size 1"),
		fault("router-expire-short", "stick tables are written with an expiry of one millisecond"),
		fault("router-server-missing", "files leave out each rule's last server"),
		fault("router-rule-missing", "files leave out the newest of several rules"),
		fault("router-policy-on-wrong-section", "files carry each policy in the section before its own"),
		fault("router-algorithm-ignored", "files carry algorithm roundrobin for every rule"),
		fault("router-source-list-ignored", "files carry no source lists"),
		fault("router-wrong-client-address", "all clients reach the router from one address"),
		fault("router-backend-down", "each router's last member does not answer"),
		fault("router-old-worker-stays", "former workers never end, as if a client never left"),
		fault("router-keep-alive-refused", "files are written as 4.22 does: keep-alive with cookies is a file that HAProxy refuses (#14131)"),
	}
}

const (
	causeStart = "start"
	causeGroup = "group"
)

// distortStart applies the planted faults that cut a command down to one network's rules.
func (z *Zone) distortStart(cmd *configCommand, n *Network, aggregated bool) {
	if !(z.knobs["restart-one-tier"] && aggregated || z.knobs["push-other-tiers-lost"] && !aggregated) {
		return
	}
	cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b balancerTO) bool {
		return !slices.ContainsFunc(z.lbRules, func(r *LBRule) bool { return r.UUID == b.UUID && r.Network == n })
	})
}

// distortLB applies the planted faults of lbFaultKnobs that change a command's rules.
func (z *Zone) distortLB(cmd *configCommand, c cause) {
	if z.knobs["keep-alive-pushed"] {
		cmd.KeepAlive = boolText(true)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		switch {
		case z.knobs["source-list-dropped"]:
			b.CIDRs = ""
		case z.knobs["source-list-commas"]:
			b.CIDRs = strings.ReplaceAll(b.CIDRs, " ", ",")
		}
		if z.knobs["policy-lost-with-members"] && c.why == causeMembers && c.rule != nil && c.rule.UUID == b.UUID {
			b.Stickiness = nil
		}
	}
}

// restoreReplaced brings back the policies that a replacement revoked, where the release's defect is switched off.
func (z *Zone) restoreReplaced(ctx context.Context, replaced []*Policy) error {
	if z.knobs["replaced-policy-lost"] {
		return nil
	}
	for _, p := range replaced {
		if err := z.setPolicyRevoke(ctx, p, false); err != nil {
			return err
		}
	}
	return nil
}

// restoreMembers brings back a rule's members after a delete that could not be pushed, likewise.
func (z *Zone) restoreMembers(ctx context.Context, r *LBRule) error {
	if z.knobs["failed-delete-drops-members"] {
		return nil
	}
	for _, m := range r.Members {
		if err := z.setMemberRevoke(ctx, m, false); err != nil {
			return err
		}
	}
	return nil
}

// noteQuietDown starts the quiet time that scaling down has: the scale-up policy's, or where the defect is switched off
// its own.
func (z *Zone) noteQuietDown(ctx context.Context, g *Group) {
	if z.knobs["quiet-time-of-scale-up"] || len(g.Down) == 0 {
		z.noteQuiet(ctx, g)
		return
	}
	if z.balancing.quiet == nil {
		z.balancing.quiet = map[int64]time.Time{}
	}
	z.balancing.quiet[g.Down[0].ID] = z.now()
}

// dropStopped takes stopped members out of a group and its rule, which no release does.
func (z *Zone) dropStopped(ctx context.Context, g *Group) {
	if z.knobs["stopped-member-stays"] {
		return
	}
	for _, vm := range slices.Clone(g.Members) {
		if vm.State != "Stopped" {
			continue
		}
		if err := z.destroyMember(ctx, g, vm); err != nil {
			z.log.Error("destroying a stopped member", "group", g.ID, "vm", vm.ID, "err", err)
		}
	}
}
