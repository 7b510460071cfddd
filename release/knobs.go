package release

// The behaviours in which the profiles differ.
const (
	UsageCloseByHelperID      Knob = "usage-close-by-helper-id"
	ResizeEventOldSize        Knob = "resize-event-old-size"
	NetworkUsageModelOld      Knob = "network-usage-model-old"
	UsageCleanOwnJobsAtStart  Knob = "usage-clean-own-jobs-at-start"
	VRCompareAsSet            Knob = "vr-compare-as-set"
	AlgorithmVerbatim         Knob = "algorithm-verbatim"
	SessionKeyEither          Knob = "session-key-either"
	ErrorCommandCut           Knob = "error-command-cut"
	AnswerFieldsOld           Knob = "answer-fields-old"
	CapabilitiesNullString    Knob = "capabilities-null-string"
	AnswersSpecifyVLAN        Knob = "answers-specifyvlan"
	AnswersAPIKeyAccess       Knob = "answers-apikeyaccess"
	ListNetworksAnyAccount    Knob = "list-networks-any-account"
	NoDomainPath              Knob = "no-domainpath"
	NICNamesSegment           Knob = "nic-names-segment"
	LogContextPlain           Knob = "log-context-plain"
	AddressReleaseGuardLate   Knob = "address-release-guard-late"
	GroupNamedAsObject        Knob = "group-named-as-object"
	ConditionNamedAsObject    Knob = "condition-named-as-object"
	UsageTypeJSONOld          Knob = "usage-type-json-old"
	UsageDatesAsString        Knob = "usage-dates-as-string"
	AutoscaleUnboundedRetries Knob = "autoscale-unbounded-retries"
)

// Defects of load balancing that every profile has.
const (
	ReplacedPolicyLost       Knob = "replaced-policy-lost"
	FailedDeleteDropsMembers Knob = "failed-delete-drops-members"
	FailedRemoveDropsMember  Knob = "failed-remove-drops-member"
	AppCookieAccepted        Knob = "appcookie-accepted"
	StickyValuesUnchecked    Knob = "sticky-values-unchecked"
	QuietTimeOfScaleUp       Knob = "quiet-time-of-scale-up"
	StoppedMemberStays       Knob = "stopped-member-stays"
	KeepAliveLeaks           Knob = "keep-alive-leaks"
)

// Defects of usage accounting that every profile has.
const (
	DeleteEventBeforePush   Knob = "delete-event-before-push"
	UsageNICCloseByOffering Knob = "usage-nic-close-by-offering"
	UsageVPNCloseAtJob      Knob = "usage-vpn-close-at-job"
	UsageReleaseByText      Knob = "usage-release-by-text"
	UsageCreateRepeated     Knob = "usage-create-repeated"
	UsageYearRoll           Knob = "usage-year-roll"
	UsageVMSnapshotsAsOne   Knob = "usage-vm-snapshots-as-one"
)

func differences() []KnobInfo {
	return []KnobInfo{
		{
			Name: UsageCloseByHelperID, Part: "usage", Releases: []string{"4.19.1.0", "4.19.2.0", "4.20.0.0"},
			About: "LB.DELETE and NET.RULEDELETE look the helper row up by its own id instead of the rule's " +
				"(#10789, #9888, #10712)",
		},
		{
			Name: ResizeEventOldSize, Part: "api", Releases: []string{"4.19.1.0"},
			About: "VOLUME.RESIZE carries the size from before the change (#9459)",
		},
		{
			Name: NetworkUsageModelOld, Part: "usage", Releases: []string{"4.19.1.0", "4.19.2.0", "4.20.0.0"},
			About: "network and VPC helper rows are opened at each implement and one at a time closed (#10687, " +
				"#10712, #10755)",
		},
		{
			Name: UsageCleanOwnJobsAtStart, Part: "usage", Releases: []string{"4.20.2.0"},
			About: "the usage server removes its own host's unfinished jobs when it starts (#10848)",
		},
		{
			Name: VRCompareAsSet, Part: "router", Releases: []string{"4.19.1.0"},
			About: "the router compares its configuration files as sets of lines (#9822)",
		},
		{
			Name: AlgorithmVerbatim, Part: "router", Releases: []string{"4.19.1.0"},
			About: "the balance value is written as the user typed it (#9698)",
		},
		{
			Name: SessionKeyEither, Part: "api", Releases: []string{"4.19.1.0"},
			About: "a session key is accepted from the cookie or the parameter",
		},
		{
			Name: ErrorCommandCut, Part: "api", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"},
			About: "an error of the parameter check names the command by its root cut by eight letters " +
				"(createLBStickine)",
		},
		{
			Name: AnswerFieldsOld, Part: "api", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"},
			About: "answers lack deleteprotection, forsystemvms, a firewall rule's traffictype and " +
				"destcidrlist, NSX and architecture",
		},
		{
			Name: CapabilitiesNullString, Part: "api", Releases: []string{"4.20.0.0", "4.20.1.0", "4.20.2.0"},
			About: "listCapabilities answers 431 Cannot parse null string: settings of shared file systems are " +
				"missing on a simulator build",
		},
		{
			Name: AnswersSpecifyVLAN, Part: "api", Releases: []string{"4.19.2.0", "4.19.3.0", "4.20.1.0", "4.20.2.0"},
			About: "networks answer specifyvlan",
		},
		{
			Name: AnswersAPIKeyAccess, Part: "api", Releases: []string{"4.20.1.0", "4.20.2.0"},
			About: "accounts, users and keys answer apikeyaccess to an admin (#10244), VMs and routers arch, " +
				"zones routedmodeenabled",
		},
		{
			Name: ListNetworksAnyAccount, Part: "api", Releases: []string{"4.19.1.0"},
			About: "listNetworks of an admin is not limited to his own account",
		},
		{
			Name: NoDomainPath, Part: "api", Releases: []string{"4.19.1.0"},
			About: "answers name an owner's domain without its path",
		},
		{
			Name: NICNamesSegment, Part: "router", Releases: []string{"4.20.0.0", "4.20.1.0", "4.20.2.0"},
			About: "a push's NIC names the network's id and segment",
		},
		{
			Name: LogContextPlain, Part: "router", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"},
			About: "the management log's context stack has no brackets (log4j 1)",
		},
		{
			Name: AddressReleaseGuardLate, Part: "api", Releases: All(),
			About: "releasing an address with an autoscale group on it is refused after its firewall and port " +
				"forwarding rules are gone",
		},
		{
			Name: GroupNamedAsObject, Part: "api", Releases: []string{"4.20.2.0"},
			About: "a refused group deletion names the group as an object instead of by its id",
		},
		{
			Name: ConditionNamedAsObject, Part: "api", Releases: []string{"4.20.1.0", "4.20.2.0"},
			About: "a refused change of a condition names it as an object instead of by its id",
		},
		{
			Name: UsageTypeJSONOld, Part: "api", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"},
			About: "listUsageTypes answers usagetypeid and description only",
		},
		{
			Name: UsageDatesAsString, Part: "api", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"},
			About: "listUsageRecords answers dates as quoted text",
		},
		{
			Name: AutoscaleUnboundedRetries, Part: "api", Releases: []string{"4.19.1.0", "4.19.2.0", "4.19.3.0", "4.20.0.0", "4.20.1.0"},
			About: "a group whose members fail to start creates them without end (#11244)",
		},
	}
}

func balancingDefects() []KnobInfo {
	return []KnobInfo{
		{
			Name: ReplacedPolicyLost, Part: "api", Releases: All(),
			About: "a stickiness policy whose replacement could not be pushed is gone with the next push " +
				"(cloudstack.md 2.6)",
		},
		{
			Name: FailedDeleteDropsMembers, Part: "api", Releases: All(),
			About: "a load balancer rule whose delete could not be pushed loses its members with the next push " +
				"(cloudstack.md 1.3)",
		},
		{
			Name: FailedRemoveDropsMember, Part: "api", Releases: All(),
			About: "a member whose removal by address could not be pushed is gone with the next push " +
				"(cloudstack.md 3.1)",
		},
		{
			Name: AppCookieAccepted, Part: "api", Releases: All(),
			About: "createLBStickinessPolicy takes AppCookie, which HAProxy refuses since 1.6 (#3253)",
		},
		{
			Name: StickyValuesUnchecked, Part: "api", Releases: All(),
			About: "createLBStickinessPolicy takes values that HAProxy refuses: table size 0, expiry above " +
				"24.8 days, contradicting cookie modes",
		},
		{
			Name: QuietTimeOfScaleUp, Part: "api", Releases: All(),
			About: "scaling down starts the quiet time of the scale-up policy, its own is not kept",
		},
		{
			Name: StoppedMemberStays, Part: "api", Releases: All(),
			About: "a stopped member of an autoscale group is replaced and stays behind the rule (#14185)",
		},
		{
			Name: KeepAliveLeaks, Part: "router", Releases: All(),
			About: "after the first keep-alive push a management server writes keep-alive defaults into every " +
				"router's file (#14131)",
		},
	}
}

func usageDefects() []KnobInfo {
	return []KnobInfo{
		{
			Name: DeleteEventBeforePush, Part: "api", Releases: All(),
			About: "the LB.DELETE usage event is written before the push and stays when the push fails " +
				"(cloudstack.md 1.3)",
		},
		{
			Name: UsageNICCloseByOffering, Part: "usage", Releases: All(),
			About: "NETWORK.OFFERING.REMOVE closes the rows of all NICs of the VM with the same offering",
		},
		{
			Name: UsageVPNCloseAtJob, Part: "usage", Releases: All(),
			About: "VPN.USER.REMOVE closes the row with the time of the job",
		},
		{
			Name: UsageReleaseByText, Part: "usage", Releases: All(),
			About: "NET.IPRELEASE finds rows by the address's text, in any zone",
		},
		{
			Name: UsageCreateRepeated, Part: "usage", Releases: All(),
			About: "a create event that is there twice is handled twice (#13399, #13909)",
		},
		{
			Name: UsageYearRoll, Part: "usage", Releases: All(),
			About: "a first usage window on 1 January, or in hour 0, is computed into the future " +
				"(UsageManagerImpl.java@4.20.0.0)",
		},
		{
			Name: UsageVMSnapshotsAsOne, Part: "usage", Releases: All(),
			About: "a VM snapshot ends the one before it, and the delete of one closes all of the VM (#13921)",
		},
	}
}
