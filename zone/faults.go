package zone

import "slices"

// faultKnobs are planted faults: what a release could break next. None is on in a profile.
func faultKnobs() []Knob {
	fault := func(part, name, about string) Knob { return Knob{Name: name, About: about, Part: part} }
	return append([]Knob{
		fault("api", "create-event-lost", "createLoadBalancerRule writes no LB.CREATE usage event"),
		fault("api", "delete-event-lost", "deleting a load balancer rule writes no LB.DELETE usage event"),
		fault("api", "delete-event-twice", "deleting a load balancer rule writes its LB.DELETE usage event twice"),
		fault("api", "delete-event-wrong-rule", "the LB.DELETE usage event carries the id of another rule of the account"),
		fault("api", "delete-event-late", "the LB.DELETE usage event is written ten minutes after the rule is gone"),
		fault("api", "delete-event-early", "the LB.DELETE usage event is dated ten minutes before the rule went"),
		fault("api", "release-event-lost", "rules that die with their address, network or account leave no LB.DELETE usage event"),
		fault("api", "pf-delete-event-lost", "deleting a port forwarding rule writes no NET.RULEDELETE usage event"),
		fault("api", "failed-create-event-lost", "a load balancer rule whose creation failed leaves LB.CREATE without LB.DELETE"),
		fault("api", "volume-delete-event-lost", "deleting a volume that was never attached writes no VOLUME.DELETE (#5901)"),
		fault("api", "vm-volume-event-lost", "destroying a VM writes no VOLUME.DELETE for its root volume"),
		fault("api", "recover-without-volume-event", "recovering a VM writes no VOLUME.CREATE for its root volume (#6772)"),
		fault("api", "backup-remove-event-lost", "taking a VM from its backup offering writes no BACKUP.OFFERING.REMOVE"),
		fault("api", "upgrade-replays-events", "the upgrade marks every usage event as not processed"),
		fault("api", "upgrade-reopens-rows", "the upgrade opens every closed usage row of load balancer rules again"),
		fault("usage", "repair-dates-now", "a repair of usage rows closes them with the time of the repair"),
		fault("usage", "repair-whole-account", "a repair of a usage row names the account and not the row"),
		fault("api", "usage-api-short", "listUsageRecords leaves out the last record of each answer"),
		fault("api", "usage-api-oldformat-ignored", "listUsageRecords ignores oldformat"),
		fault("api", "group-delete-ends-rule", "deleting an autoscale group writes LB.DELETE for its rule, which lives on"),
		fault("api", "rule-listed-after-delete", "a deleted rule is still listed"),
		fault("api", "rule-unlisted", "a rule whose group is disabled is not listed"),
		fault("api", "sticky-list-empty", "listLBStickinessPolicies lists no policies"),
		fault("api", "sticky-delete-ignored", "deleteLBStickinessPolicy succeeds and leaves the policy"),
		fault("api", "guard-missing", "deleteLoadBalancerRule and disassociateIpAddress take a rule that has an autoscale group"),
		fault("api", "assign-guard-missing", "assignToLoadBalancerRule accepts a rule that has an autoscale group"),
		fault("api", "member-guard-missing", "a member of an enabled group may be stopped, destroyed or taken from its rule"),
		fault("api", "enabled-update-allowed", "an enabled group's size may be updated"),
		fault("api", "members-lost-on-disable", "disabling a group takes its members out of the rule"),
		fault("api", "monitor-blind", "the group monitor creates no members"),

		fault("router", "push-lost", "the push of a stickiness change is never sent"),
		fault("router", "push-lost-while-enabled", "the push of a stickiness change is not sent while the rule's autoscale group is enabled (#9587)"),
		fault("router", "replaced-policy-pushed", "the push of a stickiness policy that replaces another carries the former one"),
		fault("router", "push-lost-delete", "the push of a deleted rule is never sent"),
		fault("router", "push-lost-members", "the push of assigned or removed members is never sent"),
		fault("router", "push-stale", "the push of a stickiness or algorithm change carries the content before it"),
		fault("router", "push-overtaken", "the push of a group that scales is built, and sent after that of the next stickiness change: it brings back the state before (#9587)"),
		fault("router", "push-partial", "the push of a stickiness change carries only the changed rule"),
		fault("router", "policy-dropped", "pushes carry no stickiness policies"),
		fault("router", "policy-wrong-rule", "pushes carry each policy on the rule before its own"),
		fault("router", "policy-removed-on-disable", "pushes leave out the policy of a rule whose group was once disabled"),
		fault("router", "policy-not-removed", "pushes go on carrying a policy that was deleted"),
		fault("router", "member-missing", "pushes leave out each rule's newest member"),
		fault("router", "member-not-removed", "pushes show removed members as live"),
		fault("router", "enable-without-push", "enableAutoScaleVmGroup sends no push"),
		fault("router", "disable-without-push", "disableAutoScaleVmGroup sends no push"),
	}, slices.Concat(lbFaultKnobs(), routerFaultKnobs())...)
}
