package release

// Defects of load balancing in releases of today, and what they go with.
const (
	UpdateWithoutProtocolFails Knob = "update-without-protocol-fails"
	UpdatePushesAlways         Knob = "update-pushes-always"
	ProtocolCheckedExactly     Knob = "protocol-checked-exactly"
	UpdateCIDRList             Knob = "update-cidrlist"
	CIDRListTwoForms           Knob = "cidr-list-two-forms"
	UpdateProtocolNotRestored  Knob = "update-protocol-not-restored"
	ProtocolUpdateNotPushed    Knob = "protocol-update-not-pushed"
	AlgorithmUnchecked         Knob = "algorithm-unchecked"
	PortZeroAccepted           Knob = "port-zero-accepted"
	UDPUncheckedEarly          Knob = "udp-unchecked-early"
	SourceListUnbounded        Knob = "source-list-unbounded"
	FailedAssignDropsMapping   Knob = "failed-assign-drops-mapping"
	TagsOutliveRule            Knob = "tags-outlive-rule"
	MemberDiskStays            Knob = "member-disk-stays"
	UnassignedMemberStays      Knob = "unassigned-member-stays"
)

// defectsOfToday are those that no upstream thread reports, but for the ones that are named.
func defectsOfToday() []KnobInfo {
	return []KnobInfo{
		{
			Name: UpdateWithoutProtocolFails, Part: "api",
			About: "updateLoadBalancerRule of a rule that was made without a protocol stores and pushes the change, " +
				"and then fails with a null pointer (#11468)",
		},
		{
			Name: UpdatePushesAlways, Part: "api",
			About: "every updateLoadBalancerRule pushes, a new name alone too: what a call leaves unsaid counts as " +
				"changed (#11468)",
		},
		{
			Name: ProtocolCheckedExactly, Part: "api",
			About: "updates and stickiness policies are refused where the protocol is spelled in capitals (#11468)",
		},
		{
			Name: UpdateCIDRList, Part: "api",
			About: "updateLoadBalancerRule takes cidrlist (#11568)",
		},
		{
			Name:  CIDRListTwoForms,
			Part:  "api",
			Needs: []Knob{UpdateCIDRList},
			About: "a source list is stored with commas by updateLoadBalancerRule and with blanks by its creation, " +
				"and " +
				"the same list counts as a change (#11568)",
		},
		{
			Name: UpdateProtocolNotRestored, Part: "api",
			About: "the new protocol of an update whose push failed is kept (cloudstack.md 2.5)",
		},
		{
			Name: ProtocolUpdateNotPushed, Part: "api",
			About: "updateLoadBalancerRule of the protocol alone sends no push (cloudstack.md 2.5)",
		},
		{
			Name: AlgorithmUnchecked, Part: "api",
			About: "updateLoadBalancerRule takes any text as the algorithm (confirmed.md 39)",
		},
		{
			Name: PortZeroAccepted,
			Part: "api",
			About: "createLoadBalancerRule takes public and private port 0, which no router can serve (confirmed.md " +
				"43)",
		},
		{
			Name: UDPUncheckedEarly, Part: "api",
			About: "a UDP rule is taken where its network has no router yet, although no router serves UDP",
		},
		{
			Name: SourceListUnbounded, Part: "api",
			About: "a source list may have more networks than the 61 that HAProxy reads in a line",
		},
		{
			Name: FailedAssignDropsMapping, Part: "api",
			About: "an assignment whose push fails takes all addresses of its VMs from the rule, those too that were " +
				"there before (confirmed.md 42)",
		},
		{
			Name: MemberDiskStays, Part: "api",
			About: "the data disk of an autoscale group's member stays when the member is destroyed, and is billed " +
				"on (VolumeOrchestrator.java@4.22.1.0, cleanupVolumes)",
		},
		{
			Name: UnassignedMemberStays, Part: "api",
			About: "a member of an autoscale group whose push fails stays, counts and is billed, and is never behind " +
				"the rule (AutoScaleManagerImpl)",
		},
		{
			Name: TagsOutliveRule, Part: "api",
			About: "the tags of a load balancer rule are still listed after it was deleted (confirmed.md 41)",
		},
	}
}
