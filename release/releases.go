package release

// Default is the release of a run that names none.
const Default = "4.20.3.0"

// history is every known release in the order of their numbers. Each is its predecessor plus what changed, which for
// most is little. To add one that changes nothing, add one line. The ancestry is that of the tags (git merge-base).
func history() History {
	return History{
		{
			Name: "4.16.0.0", Outline: true,
			On: append(always(), RendererBefore418, VRCompareAsSet, AlgorithmVerbatim, ResizeEventOldSize,
				SessionKeyEither, ErrorCommandCut, AnswerFieldsOld, NoDomainPath, LogContextPlain, UsageTypeJSONOld,
				UsageDatesAsString, UsageNICFilterEmpty, DestroyAnswersNull),
		},
		{Name: "4.16.1.0", After: "4.16.0.0", Outline: true, On: []Knob{UsageCloseByHelperID}},
		{Name: "4.17.0.0", After: "4.16.1.0", Outline: true},
		{
			Name: "4.18.0.0", After: "4.17.0.0", Outline: true,
			On: []Knob{AutoscaleUnboundedRetries, RestartRendersOneTier}, Off: []Knob{RendererBefore418},
		},
		{Name: "4.18.1.0", After: "4.18.0.0", Outline: true},
		{Name: "4.18.2.0", After: "4.18.1.0", Outline: true, Off: []Knob{RestartRendersOneTier}},
		{Name: "4.18.2.5", After: "4.18.2.0", Off: []Knob{SessionKeyEither}},
		{Name: "4.19.0.0", After: "4.18.1.0", On: []Knob{UnappliedNeverListed}},
		{
			Name: "4.19.1.0", After: "4.19.0.0", Also: []string{"4.18.2.0"},
			On: []Knob{NetworkUsageModelOld, ListNetworksAnyAccount}, Off: []Knob{RestartRendersOneTier},
		},
		{
			Name: "4.19.2.0", After: "4.19.1.0", Also: []string{"4.18.2.5"},
			On: []Knob{AnswersSpecifyVLAN},
			Off: []Knob{VRCompareAsSet, AlgorithmVerbatim, ResizeEventOldSize, SessionKeyEither, ListNetworksAnyAccount,
				NoDomainPath},
		},
		{
			Name: "4.19.3.0", After: "4.19.2.0", On: []Knob{AddressAnsweredAllocating},
			Off: []Knob{UsageCloseByHelperID, NetworkUsageModelOld, UsageNICFilterEmpty},
		},
		{
			Name: "4.20.0.0", After: "4.19.2.0",
			On: []Knob{CapabilitiesNullString, NICNamesSegment},
			Off: []Knob{AnswersSpecifyVLAN, ErrorCommandCut, AnswerFieldsOld, LogContextPlain, UsageTypeJSONOld,
				UsageDatesAsString},
		},
		{
			Name: "4.20.1.0", After: "4.20.0.0", Also: []string{"4.19.3.0"},
			On:  []Knob{AnswersSpecifyVLAN, AnswersAPIKeyAccess, TextsNameObjects, AddressAnsweredAllocating},
			Off: []Knob{UsageCloseByHelperID, NetworkUsageModelOld, UsageNICFilterEmpty},
		},
		{
			Name: "4.20.2.0", After: "4.20.1.0",
			On: []Knob{UsageCleanOwnJobsAtStart}, Off: []Knob{DestroyAnswersNull},
		},
		{Name: "4.20.3.0", After: "4.20.2.0", Aliases: []string{"4.20.4.0"},
			On: []Knob{TextsInstance, UsageOwnsAtHeartbeat}},
		{Name: "4.21.0.0", After: "4.20.2.0", On: []Knob{ConserveModeTier, NetrisProvider, NICSecurityGroupNamed,
			UsageBackupLeftOpen, BackupsBilledToLast}},
		{
			Name: "4.22.0.0", After: "4.21.0.0", Aliases: []string{"4.22.0.1"},
			On: []Knob{RouterVerifies, RuleBlockOrder2, KeepAliveCookieInvalid, UpdateWithoutProtocolFails,
				UpdatePushesAlways, ProtocolCheckedExactly, UpdateCIDRList, CIDRListTwoForms,
				DomainPathPretty, SSLOffload, CertificateChangeNotAtomic, PrivateKeysLogged,
				SSLWithoutCertificatePlain, SSLHealthCheckRed, ForwardedProtoKept,
				RefusedConfigBlocksRouter},
			Off: []Knob{ProtocolUpdateNotPushed, UsageBackupLeftOpen},
		},
		{Name: "4.22.1.0", After: "4.22.0.0", Also: []string{"4.20.3.0"}, Aliases: []string{"4.22.1.1"},
			On: []Knob{VolumeUsagePerVM, UsageVolumeKeyNarrow, TextsInstance, NetworkIDMustMatch, IdleTimeout,
				IdleTimeoutKept, ExpungeWithoutDetach, UsageOwnsAtHeartbeat}},
		{
			Name: mainName, After: "4.22.1.0", Becomes: "4.23",
			On: []Knob{SoftDeleteRules, SoftDeleteJoinBlind, FailedDeleteDropsPolicy, MappingTwiceStuck,
				MemberMappedTwice, RemovedTwiceFails, EnabledMinMaxUpdate, EventTextUUID, KeyPairs, AnswersOfMain,
				VPCConserveMode, VPCFirewall, VPCFirewallBarsRules, GroupSchedules},
			Off: []Knob{UsageVolumeKeyNarrow},
		},
	}
}

// always are the defects that every known release has.
func always() []Knob {
	return []Knob{
		AddressReleaseGuardLate, ReplacedPolicyLost, FailedDeleteDropsMembers, FailedRemoveDropsMember,
		AppCookieAccepted, StickyValuesUnchecked, QuietTimeOfScaleUp, StoppedMemberStays, KeepAliveLeaks,
		DeleteEventBeforePush, UsageNICCloseByOffering, UsageVPNCloseAtJob, UsageReleaseByText, UsageCreateRepeated,
		UsageYearRoll, UsageVMSnapshotsAsOne, UpdateProtocolNotRestored, ProtocolUpdateNotPushed, AlgorithmUnchecked,
		PortZeroAccepted, UDPUncheckedEarly, SourceListUnbounded, FailedAssignDropsMapping, TagsOutliveRule,
		MemberDiskStays, UnassignedMemberStays, UsageBackupSizeOfLast,
	}
}
