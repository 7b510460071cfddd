package fault

import "github.com/stackproof/stackproof/release"

// Faults of the management server: what it answers, and which usage events it writes.
const (
	CreateEventLost           release.Knob = "create-event-lost"
	DeleteEventLost           release.Knob = "delete-event-lost"
	DeleteEventTwice          release.Knob = "delete-event-twice"
	DeleteEventWrongRule      release.Knob = "delete-event-wrong-rule"
	DeleteEventLate           release.Knob = "delete-event-late"
	DeleteEventEarly          release.Knob = "delete-event-early"
	ReleaseEventLost          release.Knob = "release-event-lost"
	InternalRuleUnmetered     release.Knob = "internal-rule-unmetered"
	InternalDeleteEventLost   release.Knob = "internal-delete-event-lost"
	AddressSharedAnyway       release.Knob = "address-shared-anyway"
	PFDeleteEventLost         release.Knob = "pf-delete-event-lost"
	FailedCreateEventLost     release.Knob = "failed-create-event-lost"
	VolumeDeleteEventLost     release.Knob = "volume-delete-event-lost"
	NamedDisksStay            release.Knob = "named-disks-stay"
	VMVolumeEventLost         release.Knob = "vm-volume-event-lost"
	RecoverWithoutVolumeEvent release.Knob = "recover-without-volume-event"
	BackupRemoveEventLost     release.Knob = "backup-remove-event-lost"
	BackupsEndWithOffering    release.Knob = "backups-end-with-offering"
	UpgradeReplaysEvents      release.Knob = "upgrade-replays-events"
	UpgradeReopensRows        release.Knob = "upgrade-reopens-rows"
	GroupDeleteEndsRule       release.Knob = "group-delete-ends-rule"
	RuleListedAfterDelete     release.Knob = "rule-listed-after-delete"
	RuleUnlisted              release.Knob = "rule-unlisted"
	StickyListEmpty           release.Knob = "sticky-list-empty"
	StickyDeleteIgnored       release.Knob = "sticky-delete-ignored"
	GuardMissing              release.Knob = "guard-missing"
	AssignGuardMissing        release.Knob = "assign-guard-missing"
	MemberGuardMissing        release.Knob = "member-guard-missing"
	EnabledUpdateAllowed      release.Knob = "enabled-update-allowed"
	MembersLostOnDisable      release.Knob = "members-lost-on-disable"
	MonitorBlind              release.Knob = "monitor-blind"
	AlgorithmUpdateIgnored    release.Knob = "algorithm-update-ignored"
	ProtocolUpdateIgnored     release.Knob = "protocol-update-ignored"
	InstanceListShort         release.Knob = "instance-list-short"
	FailedPushSucceeds        release.Knob = "failed-push-succeeds"
	SecondPolicyKept          release.Knob = "second-policy-kept"
	SourceListUnlisted        release.Knob = "source-list-unlisted"
	CertificateIgnored        release.Knob = "certificate-ignored"
	HealthCheckAlarms         release.Knob = "health-check-alarms"
	QuietTimeIgnored          release.Knob = "quiet-time-ignored"
	MemberCreatedTwice        release.Knob = "member-created-twice"
	ScalingForgetsDisable     release.Knob = "scaling-forgets-disable"
	WrongMemberDestroyed      release.Knob = "wrong-member-destroyed"
	GraceIgnored              release.Knob = "grace-ignored"
	NICOfferingOfFirst        release.Knob = "nic-offering-of-first"
	ResizeWithoutOffering     release.Knob = "resize-without-offering"
	VolumeEventHalfSize       release.Knob = "volume-event-half-size"
)

func answerFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: CreateEventLost, Part: "api",
			About: "createLoadBalancerRule writes no LB.CREATE usage event",
		},
		{
			Name: DeleteEventLost, Part: "api",
			About: "deleting a load balancer rule writes no LB.DELETE usage event",
		},
		{
			Name: DeleteEventTwice, Part: "api",
			About: "deleting a load balancer rule writes its LB.DELETE usage event twice",
		},
		{
			Name: DeleteEventWrongRule, Part: "api",
			About: "the LB.DELETE usage event carries the id of another rule of the account",
		},
		{
			Name: DeleteEventLate, Part: "api",
			About: "the LB.DELETE usage event is written ten minutes after the rule is gone",
		},
		{
			Name: DeleteEventEarly, Part: "api",
			About: "the LB.DELETE usage event is dated ten minutes before the rule went",
		},
		{
			Name: ReleaseEventLost, Part: "api",
			About: "rules that die with their address, network or account leave no LB.DELETE usage event",
		},
		{
			Name: InternalRuleUnmetered, Part: "api",
			About: "createLoadBalancer of an internal load balancer writes no LB.CREATE usage event",
		},
		{
			Name: InternalDeleteEventLost, Part: "api",
			About: "deleteLoadBalancer of an internal load balancer writes no LB.DELETE usage event",
		},
		{
			Name: AddressSharedAnyway, Part: "api",
			About: "an address of a network without conserve mode takes rules of several services",
		},
		{
			Name: PFDeleteEventLost, Part: "api",
			About: "deleting a port forwarding rule writes no NET.RULEDELETE usage event",
		},
		{
			Name: FailedCreateEventLost, Part: "api",
			About: "a load balancer rule whose creation failed leaves LB.CREATE without LB.DELETE",
		},
		{
			Name: NamedDisksStay, Part: "api",
			About: "destroyVirtualMachine takes volumeids and deletes none of them",
		},
		{
			Name: VolumeDeleteEventLost, Part: "api",
			About: "deleting a volume that was never attached writes no VOLUME.DELETE (#5901)",
		},
		{
			Name: VMVolumeEventLost, Part: "api",
			About: "destroying a VM writes no VOLUME.DELETE for the volumes that go with it",
		},
		{
			Name: RecoverWithoutVolumeEvent, Part: "api",
			About: "recovering a VM writes no VOLUME.CREATE for its root volume (#6772)",
		},
		{
			Name: BackupRemoveEventLost, Part: "api",
			About: "what ends a VM's backups writes no usage event: BACKUP.OFFERING.REMOVE, from 4.21 on " +
				"BACKUP.OFFERING.BACKUPS.DEL",
		},
		{
			Name: BackupsEndWithOffering, Part: "api", Needs: []release.Knob{release.BackupsBilledToLast},
			About: "BACKUP.OFFERING.BACKUPS.DEL is written when a VM is taken from its backup offering, also with " +
				"backups that are left",
		},
		{
			Name: UpgradeReplaysEvents, Part: "api",
			About: "the upgrade marks every usage event as not processed",
		},
		{
			Name: UpgradeReopensRows, Part: "api",
			About: "the upgrade opens every closed usage row of load balancer rules again",
		},
		{
			Name: GroupDeleteEndsRule, Part: "api",
			About: "deleting an autoscale group writes LB.DELETE for its rule, which lives on",
		},
		{
			Name: RuleListedAfterDelete, Part: "api",
			About: "a deleted rule is still listed",
		},
		{
			Name: RuleUnlisted, Part: "api",
			About: "a rule whose group is disabled is not listed",
		},
		{
			Name: StickyListEmpty, Part: "api",
			About: "listLBStickinessPolicies lists no policies",
		},
		{
			Name: StickyDeleteIgnored, Part: "api",
			About: "deleteLBStickinessPolicy succeeds and leaves the policy",
		},
		{
			Name: GuardMissing, Part: "api",
			About: "deleteLoadBalancerRule and disassociateIpAddress take a rule that has an autoscale group",
		},
		{
			Name: AssignGuardMissing, Part: "api",
			About: "assignToLoadBalancerRule accepts a rule that has an autoscale group",
		},
		{
			Name: MemberGuardMissing, Part: "api",
			About: "a member of an enabled group may be stopped, destroyed or taken from its rule",
		},
		{
			Name: EnabledUpdateAllowed, Part: "api",
			About: "an enabled group's size may be updated",
		},
		{
			Name: MembersLostOnDisable, Part: "api",
			About: "disabling a group takes its members out of the rule",
		},
		{
			Name: MonitorBlind, Part: "api",
			About: "the group monitor creates no members",
		},
		{
			Name: AlgorithmUpdateIgnored, Part: "api",
			About: "updateLoadBalancerRule answers success and keeps the algorithm",
		},
		{
			Name: ProtocolUpdateIgnored, Part: "api",
			About: "updateLoadBalancerRule answers success and keeps the protocol",
		},
		{
			Name: InstanceListShort, Part: "api",
			About: "listLoadBalancerRuleInstances leaves out the newest of several members",
		},
		{
			Name: FailedPushSucceeds, Part: "api",
			About: "a push that the router answers with an error counts as done",
		},
		{
			Name: SecondPolicyKept, Part: "api",
			About: "replacing a stickiness policy leaves the former one alive",
		},
		{
			Name: SourceListUnlisted, Part: "api",
			About: "listLoadBalancerRules shows no source list",
		},
		{
			Name: CertificateIgnored, Part: "api",
			About: "assignCertToLoadBalancer answers success, and the rule goes on in plain text",
		},
		{
			Name: HealthCheckAlarms, Part: "api",
			About: "the health check of a router's HAProxy is red whatever the router has",
		},
		{
			Name: QuietTimeIgnored, Part: "api",
			About: "the quiet times of autoscale policies are not kept",
		},
		{
			Name: MemberCreatedTwice, Part: "api",
			About: "the group monitor makes one member more than the minimum",
		},
		{
			Name: ScalingForgetsDisable, Part: "api",
			About: "a group that was disabled while it scaled is enabled when that ends",
		},
		{
			Name: WrongMemberDestroyed, Part: "api",
			About: "scaling down destroys a member that serves, in place of the one that left the rule",
		},
		{
			Name: GraceIgnored, Part: "api",
			About: "scaling down destroys the member at once, not after the profile's grace period",
		},
		{
			Name: NICOfferingOfFirst, Part: "api",
			About: "usage events of a VM's NICs name the network offering of the first one",
		},
		{
			Name: ResizeWithoutOffering, Part: "api",
			About: "VOLUME.RESIZE names no disk offering",
		},
		{
			Name: VolumeEventHalfSize, Part: "api",
			About: "VOLUME.CREATE of a data disk names half its size",
		},
	}
}
