package release

// The behaviours in which the profiles differ.
const (
	UsageCloseByHelperID      Knob = "usage-close-by-helper-id"
	ResizeEventOldSize        Knob = "resize-event-old-size"
	NetworkUsageModelOld      Knob = "network-usage-model-old"
	UsageCleanOwnJobsAtStart  Knob = "usage-clean-own-jobs-at-start"
	UsageOwnsAtHeartbeat      Knob = "usage-owns-at-heartbeat"
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
	TextsNameObjects          Knob = "texts-name-objects"
	AddressAnsweredAllocating Knob = "address-answered-allocating"
	UsageTypeJSONOld          Knob = "usage-type-json-old"
	UsageDatesAsString        Knob = "usage-dates-as-string"
	UsageNICFilterEmpty       Knob = "usage-nic-filter-empty"
	AutoscaleUnboundedRetries Knob = "autoscale-unbounded-retries"
	RestartRendersOneTier     Knob = "restart-renders-one-tier"
	RendererBefore418         Knob = "renderer-before-418"
	RouterVerifies            Knob = "router-verifies"
	RuleBlockOrder2           Knob = "rule-block-order-2"
	KeepAliveCookieInvalid    Knob = "keep-alive-cookie-invalid"
	VolumeUsagePerVM          Knob = "volume-usage-per-vm"
	UsageVolumeKeyNarrow      Knob = "usage-volume-key-narrow"
)

// The behaviours that 4.20.3, 4.21 and 4.22 brought, and what the releases before 4.19.1 lack.
const (
	TextsInstance              Knob = "texts-instance"
	NetrisProvider             Knob = "netris-provider"
	DomainPathPretty           Knob = "domainpath-pretty"
	DestroyAnswersNull         Knob = "destroy-answers-null"
	SSLOffload                 Knob = "ssl-offload"
	CertificateChangeNotAtomic Knob = "certificate-change-not-atomic"
	PrivateKeysLogged          Knob = "private-keys-logged"
	SSLWithoutCertificatePlain Knob = "ssl-without-certificate-plain"
	SSLHealthCheckRed          Knob = "ssl-health-check-red"
	ForwardedProtoKept         Knob = "forwarded-proto-kept"
	NetworkIDMustMatch         Knob = "networkid-must-match"
	IdleTimeout                Knob = "idle-timeout"
	NICSecurityGroupNamed      Knob = "nic-security-group-named"
	UsageBackupLeftOpen        Knob = "usage-backup-left-open"
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
	UsageBackupSizeOfLast   Knob = "usage-backup-size-of-last"
)

func differences() []KnobInfo {
	return []KnobInfo{
		{
			Name: UsageCloseByHelperID, Part: "usage",
			About: "LB.DELETE and NET.RULEDELETE look the helper row up by its own id instead of the rule's " +
				"(#10789, #9888, #10712)",
		},
		{
			Name: ResizeEventOldSize, Part: "api",
			About: "VOLUME.RESIZE carries the size from before the change (#9459)",
		},
		{
			Name: NetworkUsageModelOld, Part: "usage",
			About: "network and VPC helper rows are opened at each implement and one at a time closed (#10687, " +
				"#10712, #10755)",
		},
		{
			Name: UsageCleanOwnJobsAtStart, Part: "usage",
			About: "the usage server removes its own host's unfinished jobs when it starts (#10848)",
		},
		{
			Name: UsageOwnsAtHeartbeat, Part: "usage",
			About: "a usage server opens the recurring job at its heartbeat where nobody has one (#12507)",
		},
		{
			Name: VRCompareAsSet, Part: "router",
			About: "the router compares its configuration files as sets of lines (#9822)",
		},
		{
			Name: AlgorithmVerbatim, Part: "router",
			About: "the balance value is written as the user typed it (#9698)",
		},
		{
			Name: SessionKeyEither, Part: "api",
			About: "a session key is accepted from the cookie or the parameter",
		},
		{
			Name: ErrorCommandCut, Part: "api",
			About: "an error of the parameter check names the command by its root cut by eight letters " +
				"(createLBStickine)",
		},
		{
			Name: AnswerFieldsOld, Part: "api",
			About: "answers lack deleteprotection, forsystemvms, a firewall rule's traffictype and " +
				"destcidrlist, NSX and architecture",
		},
		{
			Name: CapabilitiesNullString, Part: "api",
			About: "listCapabilities answers 431 Cannot parse null string: settings of shared file systems are " +
				"missing on a simulator build",
		},
		{
			Name: AnswersSpecifyVLAN, Part: "api",
			About: "networks answer specifyvlan",
		},
		{
			Name: AnswersAPIKeyAccess, Part: "api",
			About: "accounts, users and keys answer apikeyaccess to an admin (#10244), VMs and routers arch, " +
				"zones routedmodeenabled",
		},
		{
			Name: ListNetworksAnyAccount, Part: "api",
			About: "listNetworks of an admin is not limited to his own account",
		},
		{
			Name: NoDomainPath, Part: "api",
			About: "answers name an owner's domain without its path",
		},
		{
			Name: NICNamesSegment, Part: "router",
			About: "a push's NIC names the network's id and segment",
		},
		{
			Name: LogContextPlain, Part: "router",
			About: "the management log's context stack has no brackets (log4j 1)",
		},
		{
			Name: AddressReleaseGuardLate, Part: "api",
			About: "releasing an address with an autoscale group on it is refused after its firewall and port " +
				"forwarding rules are gone",
		},
		{
			Name: TextsNameObjects, Part: "api",
			About: "texts of refusals and events name rules, addresses, groups, conditions and instances as objects " +
				"(LoadBalancer {...}) instead of by their ids (a4224e58cc)",
		},
		{
			Name: AddressAnsweredAllocating, Part: "api",
			About: "the job that associates an address with an isolated network answers it as Allocating, although " +
				"it is Allocated by then (#10568)",
		},
		{
			Name: UsageTypeJSONOld, Part: "api",
			About: "listUsageTypes answers usagetypeid and description only",
		},
		{
			Name: UsageDatesAsString, Part: "api",
			About: "listUsageRecords answers dates as quoted text",
		},
		{
			Name: UsageNICFilterEmpty, Part: "api",
			About: "listUsageRecords lists no record of NICs for a network offering's id (#10697, ended by #10852)",
		},
		{
			Name: AutoscaleUnboundedRetries, Part: "api",
			About: "a member whose start failed stays stopped in its group and counts for nothing: members are made " +
				"without end (#9318, #14185; #11244 counts members in state Error)",
		},
		{
			Name: RestartRendersOneTier, Part: "router",
			About: "the push of a starting VPC router sends each tier's rules one after the other, each without the " +
				"others' (#8745, ended by #8881)",
		},
		{
			Name: RendererBefore418, Part: "router",
			About: "haproxy.cfg has no admin socket and no source lists, and httpclose is written as forceclose " +
				"(ended by #6571 and #6460)",
		},
		{
			Name: RouterVerifies, Part: "router",
			About: "the router has HAProxy check the new file before it replaces the live one; a refused file fails " +
				"the call (#11468)",
		},
		{
			Name: RuleBlockOrder2, Part: "router",
			About: "a rule's bind, mode and source list stand before its balance and servers, statistics listeners " +
				"are always in http mode (#11468)",
		},
		{
			Name: KeepAliveCookieInvalid, Part: "router",
			About: "keep-alive with cookies writes \"no option forceclose\", which HAProxy refuses (#14131)",
		},
		{
			Name: VolumeUsagePerVM, Part: "usage",
			About: "an attached volume has a second usage row and a second record, for its VM (#11531)",
		},
		{
			Name: UsageVolumeKeyNarrow, Part: "usage", Needs: []Knob{VolumeUsagePerVM},
			About: "the key of volume rows has no VM: the second row of a volume is refused, and all that the run " +
				"had handled up to it is rolled back, run after run (#13399, #13909)",
		},
	}
}

func balancingDefects() []KnobInfo {
	return []KnobInfo{
		{
			Name: ReplacedPolicyLost, Part: "api",
			About: "a stickiness policy whose replacement could not be pushed is gone with the next push " +
				"(cloudstack.md 2.6)",
		},
		{
			Name: FailedDeleteDropsMembers, Part: "api",
			About: "a load balancer rule whose delete could not be pushed loses its members with the next push " +
				"(cloudstack.md 1.3)",
		},
		{
			Name: FailedRemoveDropsMember, Part: "api",
			About: "a member whose removal by address could not be pushed is gone with the next push " +
				"(cloudstack.md 3.1)",
		},
		{
			Name: AppCookieAccepted, Part: "api",
			About: "createLBStickinessPolicy takes AppCookie, which HAProxy refuses since 1.6 (#3253)",
		},
		{
			Name: StickyValuesUnchecked, Part: "api",
			About: "createLBStickinessPolicy takes values that HAProxy refuses: table size 0, expiry above " +
				"24.8 days, contradicting cookie modes",
		},
		{
			Name: QuietTimeOfScaleUp, Part: "api",
			About: "scaling down starts the quiet time of the scale-up policy, its own is not kept",
		},
		{
			Name: StoppedMemberStays, Part: "api",
			About: "a stopped member of an autoscale group is replaced and stays behind the rule (#14185)",
		},
		{
			Name: KeepAliveLeaks, Part: "router",
			About: "after the first keep-alive push a management server writes keep-alive defaults into every " +
				"router's file (#14131)",
		},
	}
}

func usageDefects() []KnobInfo {
	return []KnobInfo{
		{
			Name: DeleteEventBeforePush, Part: "api",
			About: "the LB.DELETE usage event is written before the push and stays when the push fails " +
				"(cloudstack.md 1.3)",
		},
		{
			Name: UsageNICCloseByOffering, Part: "usage",
			About: "NETWORK.OFFERING.REMOVE closes the rows of all NICs of the VM with the same offering",
		},
		{
			Name: UsageVPNCloseAtJob, Part: "usage",
			About: "VPN.USER.REMOVE closes the row with the time of the job",
		},
		{
			Name: UsageReleaseByText, Part: "usage",
			About: "NET.IPRELEASE finds rows by the address's text, in any zone",
		},
		{
			Name: UsageCreateRepeated, Part: "usage",
			About: "a create event that is there twice is handled twice (#13399, #13909)",
		},
		{
			Name: UsageYearRoll, Part: "usage",
			About: "a first usage window on 1 January, or in hour 0, is computed into the future " +
				"(UsageManagerImpl.java@4.20.0.0)",
		},
		{
			Name: UsageBackupSizeOfLast, Part: "usage",
			About: "a report on the size of backups replaces the one before it: a whole usage window is billed with " +
				"the size that was reported last (#13070)",
		},
		{
			Name: UsageVMSnapshotsAsOne, Part: "usage",
			About: "a VM snapshot ends the one before it, and the delete of one closes all of the VM (#13921)",
		},
	}
}
