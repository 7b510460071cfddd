package fault

import "github.com/stackproof/stackproof/release"

// Faults of pushes: what is sent to a router, and when.
const (
	PushLost                release.Knob = "push-lost"
	PushLostWhileEnabled    release.Knob = "push-lost-while-enabled"
	ReplacedPolicyPushed    release.Knob = "replaced-policy-pushed"
	PushLostDelete          release.Knob = "push-lost-delete"
	PushLostMembers         release.Knob = "push-lost-members"
	OtherTierNotPushed      release.Knob = "other-tier-not-pushed"
	PushStale               release.Knob = "push-stale"
	PushOvertaken           release.Knob = "push-overtaken"
	PushPartial             release.Knob = "push-partial"
	PolicyDropped           release.Knob = "policy-dropped"
	PolicyWrongRule         release.Knob = "policy-wrong-rule"
	PolicyRemovedOnDisable  release.Knob = "policy-removed-on-disable"
	PolicyNotRemoved        release.Knob = "policy-not-removed"
	MemberMissing           release.Knob = "member-missing"
	MemberNotRemoved        release.Knob = "member-not-removed"
	EnableWithoutPush       release.Knob = "enable-without-push"
	DisableWithoutPush      release.Knob = "disable-without-push"
	PushLostUpdate          release.Knob = "push-lost-update"
	StartWithoutPush        release.Knob = "start-without-push"
	SourceListDropped       release.Knob = "source-list-dropped"
	SourceListCommas        release.Knob = "source-list-commas"
	PolicyLostWithMembers   release.Knob = "policy-lost-with-members"
	BackupRouterForgotten   release.Knob = "backup-router-forgotten"
	ExpungeWithoutPush      release.Knob = "expunge-without-push"
	UpdateWithPush          release.Knob = "update-with-push"
	GroupCreateWithoutPush  release.Knob = "group-create-without-push"
	PushOtherTiersLost      release.Knob = "push-other-tiers-lost"
	InternalRulesOnRouter   release.Knob = "internal-rules-on-router"
	InternalPoliciesDropped release.Knob = "internal-policies-dropped"
	KeepAlivePushed         release.Knob = "keep-alive-pushed"
	IdleTimeoutUnread       release.Knob = "idle-timeout-unread"
	PushFieldChanged        release.Knob = "push-field-changed"
	MemberOrderTurned       release.Knob = "member-order-turned"
	RevokedUntold           release.Knob = "revoked-untold"
	StrangerRevoked         release.Knob = "stranger-revoked"
	CertificateNotPushed    release.Knob = "certificate-not-pushed"
	ChainNotPushed          release.Knob = "chain-not-pushed"
	UpdateDropsCertificate  release.Knob = "update-drops-certificate"
	CertificateStale        release.Knob = "certificate-stale"
	CertificateNotRemoved   release.Knob = "certificate-not-removed"
)

func pushFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: CertificateNotPushed, Part: "router", Needs: []release.Knob{release.SSLOffload,
				release.SSLWithoutCertificatePlain},
			About: "pushes carry no certificates: a rule with one answers plain text",
		},
		{
			Name: ChainNotPushed, Part: "router", Needs: []release.Knob{release.SSLOffload},
			About: "pushes carry certificates without their chains",
		},
		{
			Name: UpdateDropsCertificate, Part: "router", Needs: []release.Knob{release.SSLOffload},
			About: "updateLoadBalancerRule takes the certificate from a rule that has one",
		},
		{
			Name: CertificateStale, Part: "router", Needs: []release.Knob{release.SSLOffload},
			About: "pushes carry the first certificate that a rule ever had",
		},
		{
			Name: CertificateNotRemoved, Part: "router", Needs: []release.Knob{release.SSLOffload},
			About: "the push that takes a rule's certificate off still carries it as valid",
		},
		{
			Name: PushLost, Part: "router",
			About: "the push of a stickiness change is never sent",
		},
		{
			Name: PushLostWhileEnabled, Part: "router",
			About: "the push of a stickiness change is not sent while the rule's autoscale group is enabled (#9587)",
		},
		{
			Name: ReplacedPolicyPushed, Part: "router",
			About: "the push of a stickiness policy that replaces another carries the former one",
		},
		{
			Name: PushLostDelete, Part: "router",
			About: "the push of a deleted rule is never sent",
		},
		{
			Name: OtherTierNotPushed, Part: "router", Needs: []release.Knob{release.VPCConserveMode},
			About: "pushes leave out members of a rule that are in another tier than the rule",
		},
		{
			Name: PushLostMembers, Part: "router",
			About: "the push of assigned or removed members is never sent",
		},
		{
			Name: PushStale, Part: "router",
			About: "the push of a stickiness or algorithm change carries the content before it",
		},
		{
			Name: PushOvertaken, Part: "router",
			About: "the push of a group that scales is built, and sent after that of the next stickiness " +
				"change: it brings back the state before (#9587)",
		},
		{
			Name: PushPartial, Part: "router",
			About: "the push of a stickiness change carries only the changed rule",
		},
		{
			Name: PolicyDropped, Part: "router",
			About: "pushes carry no stickiness policies",
		},
		{
			Name: PolicyWrongRule, Part: "router",
			About: "pushes carry each policy on the rule before its own",
		},
		{
			Name: PolicyRemovedOnDisable, Part: "router",
			About: "pushes leave out the policy of a rule whose group was once disabled",
		},
		{
			Name: PolicyNotRemoved, Part: "router",
			About: "pushes go on carrying a policy that was deleted",
		},
		{
			Name: MemberMissing, Part: "router",
			About: "pushes leave out each rule's newest member",
		},
		{
			Name: MemberNotRemoved, Part: "router",
			About: "pushes show removed members as live",
		},
		{
			Name: EnableWithoutPush, Part: "router",
			About: "enableAutoScaleVmGroup sends no push",
		},
		{
			Name: DisableWithoutPush, Part: "router",
			About: "disableAutoScaleVmGroup sends no push",
		},
		{
			Name: PushLostUpdate, Part: "router",
			About: "the push of an algorithm change is never sent",
		},
		{
			Name: StartWithoutPush, Part: "router",
			About: "a router that starts is not sent its configuration",
		},
		{
			Name: SourceListDropped, Part: "router",
			About: "pushes carry no source lists",
		},
		{
			Name: SourceListCommas, Part: "router",
			About: "pushes carry source lists with commas (#11568)",
		},
		{
			Name: PolicyLostWithMembers, Part: "router",
			About: "the push of a rule's assigned or removed members leaves out the rule's policy",
		},
		{
			Name: BackupRouterForgotten, Part: "router",
			About: "pushes go to the primary of redundant routers only",
		},
		{
			Name: ExpungeWithoutPush, Part: "router",
			About: "expunging a VM sends no push",
		},
		{
			Name: UpdateWithPush, Part: "router",
			About: "updateAutoScaleVmGroup sends a push",
		},
		{
			Name: GroupCreateWithoutPush, Part: "router",
			About: "createAutoScaleVmGroup sends no push",
		},
		{
			Name: PushOtherTiersLost, Part: "router",
			About: "pushes carry the rules of the changed tier only (#8745)",
		},
		{
			Name: InternalRulesOnRouter, Part: "router",
			About: "the VPC's router is sent the rules of internal load balancers, too",
		},
		{
			Name: InternalPoliciesDropped, Part: "router",
			About: "pushes to balancer VMs carry no stickiness policies",
		},
		{
			Name: KeepAlivePushed, Part: "router",
			About: "every push asks for keep-alive",
		},
		{
			Name: IdleTimeoutUnread, Part: "router", Needs: []release.Knob{release.IdleTimeout},
			About: "pushes carry the idle timeout that the management server had when it started",
		},
		{
			Name: PushFieldChanged, Part: "router", Takes: PushFields(),
			About: "one field of each push says something else: the named one (NAME=FIELD), or else another one in " +
				"each push",
		},
		{
			Name: MemberOrderTurned, Part: "router",
			About: "every second push carries the members of each rule in the opposite order",
		},
		{
			Name: RevokedUntold, Part: "router",
			About: "pushes leave out what is being taken away, instead of carrying it as revoked",
		},
		{
			Name: StrangerRevoked, Part: "router",
			About: "each push takes away a rule, too, that nobody made",
		},
	}
}

// PushFields are the fields of a LoadBalancerConfigCommand as they were recorded (confirmed.md 7), by their way through
// its objects. A push has those that apply to it.
func PushFields() []string {
	return []string{
		"loadBalancers.uuid", "loadBalancers.srcIp", "loadBalancers.srcPort", "loadBalancers.protocol",
		"loadBalancers.lbProtocol", "loadBalancers.algorithm", "loadBalancers.revoked", "loadBalancers.alreadyAdded",
		"loadBalancers.inline", "loadBalancers.cidrList", "loadBalancers.destinations.destIp",
		"loadBalancers.destinations.destPort", "loadBalancers.destinations.revoked",
		"loadBalancers.destinations.alreadyAdded", "loadBalancers.stickinessPolicies.methodName",
		"loadBalancers.stickinessPolicies.params.t", "loadBalancers.stickinessPolicies.params.u",
		"lbStatsVisibility", "lbStatsPublicIP", "lbStatsPrivateIP", "lbStatsGuestIP", "lbStatsPort",
		"lbStatsSrcCidrs", "lbStatsAuth", "lbStatsUri", "maxconn", "keepAliveEnabled",
		"nic.deviceId", "nic.networkRateMbps", "nic.defaultNic", "nic.pxeDisable", "nic.nicUuid",
		"nic.details.PromiscuousMode", "nic.details.MacAddressChanges", "nic.details.ForgedTransmits",
		"nic.details.MacLearning", "nic.dpdkEnabled", "nic.networkId", "nic.networkSegmentName", "nic.uuid", "nic.ip",
		"nic.netmask", "nic.gateway", "nic.mac", "nic.broadcastType", "nic.type", "nic.broadcastUri",
		"nic.isolationUri", "nic.isSecurityGroupEnabled", "vpcId", "accessDetails.router.name",
		"accessDetails.router.guest.ip", "accessDetails.router.ip", "accessDetails.zone.network.type", "wait",
		"bypassHostMaintenance",
	}
}
