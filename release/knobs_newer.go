package release

// What later releases brought, and with which.
const (
	UnappliedNeverListed      Knob = "unapplied-never-listed"       // 4.19
	RefusedConfigBlocksRouter Knob = "refused-config-blocks-router" // 4.22
	ConserveModeTier          Knob = "conserve-mode-tier"           // 4.21
	IdleTimeoutKept           Knob = "idle-timeout-kept"            // the setting, in 4.22.1
	ExpungeWithoutDetach      Knob = "expunge-without-detach"       // usage rows of volumes per VM
	BackupsBilledToLast       Knob = "backups-billed-to-last"       // 4.21
)

// newer are the behaviours that 4.20.3, 4.21 and 4.22 brought.
func newer() []KnobInfo {
	return []KnobInfo{
		{
			Name: RefusedConfigBlocksRouter, Part: "router", Needs: []Knob{RouterVerifies},
			About: "a router keeps a balancing configuration that it refused, and its scripts end there whatever " +
				"they are run for: port forwarding, firewall and ACL changes fail until the next balancing change " +
				"that it takes (configure.py@4.22.0.0)",
		},
		{
			Name: UnappliedNeverListed, Part: "api",
			About: "listLoadBalancerRuleInstances applied=false is always empty: it walks the mapped VMs alone " +
				"(LoadBalancingRulesManagerImpl.java@4.19.0.0, up to 4.18 it listed the others of the network)",
		},
		{
			Name: ConserveModeTier, Part: "api",
			About: "an address of a VPC's tier may carry load balancing and port forwarding: its default offering is " +
				"in conserve mode (#8309, schema-42010to42100)",
		},
		{
			Name: ExpungeWithoutDetach, Part: "api", Needs: []Knob{VolumeUsagePerVM},
			About: "a VM that is expunged without destroyVirtualMachine, such as a group's member, leaves its data " +
				"disks without a VOLUME.DETACH: they are billed as attached to it for ever " +
				"(VolumeOrchestrator.java@4.22.1.0, cleanupVolumes)",
		},
		{
			Name: BackupsBilledToLast, Part: "usage",
			About: "a VM that is taken from its backup offering is billed for backups until the last of them is " +
				"deleted: BACKUP.OFFERING.BACKUPS.DEL ends it in place of BACKUP.OFFERING.REMOVE, which is no usage " +
				"event any more (BackupManagerImpl.java@4.21.0.0, UsageManagerImpl.java@4.21.0.0)",
		},
		{
			Name: TextsInstance, Part: "api",
			About: "texts say Instances, IP and Account where they said vms, ip and account (#7857)",
		},
		{
			Name: NetrisProvider, Part: "api",
			About: "addresses answer forprovider, and counters of Netris are listed (IPAddressResponse.java@4.21.0.0)",
		},
		{
			Name: DomainPathPretty,
			Part: "api",
			About: "all answers write a domain's path as ROOT/name, where they wrote /name/ " +
				"(ApiResponseHelper.java@4.22.0.0)",
		},
		{
			Name: DestroyAnswersNull, Part: "api",
			About: "the job of destroyVirtualMachine with expunge answers its object under the name null " +
				"(DestroyVMCmd.java@4.20.1.0, named from 4.20.2 on)",
		},
		{
			Name: IdleTimeout,
			Part: "router",
			About: "pushes carry idleTimeout, a setting that the file's defaults take over: 0 leaves the timeouts " +
				"out (#12586)",
		},
		{
			Name: IdleTimeoutKept, Part: "router", Needs: []Knob{IdleTimeout},
			About: "an idle timeout below 0 leaves the timeouts that the management server wrote last, to whichever " +
				"router (HAProxyConfigurator.java@4.22.1.0)",
		},
		{
			Name: NICSecurityGroupNamed, Part: "router",
			About: "a push's NIC says securityGroupEnabled, where it said isSecurityGroupEnabled (NicTO.java@4.21.0.0)",
		},
		{
			Name: UsageBackupLeftOpen,
			Part: "usage",
			About: "a VM taken from its backup offering is billed for backups for ever: usage_backup.removed stays " +
				"empty " +
				"(#11522)",
		},
		{
			Name: SSLOffload, Part: "router",
			About: "routers end TLS: rules of protocol ssl take certificates, which pushes carry (#11468)",
		},
		{
			Name: CertificateChangeNotAtomic, Part: "api", Needs: []Knob{SSLOffload},
			About: "a certificate that is replaced, or taken off with its rule, is gone when the second of two " +
				"pushes fails (LoadBalancingRulesManagerImpl.java@4.22.0.0)",
		},
		{
			Name: PrivateKeysLogged, Part: "router", Needs: []Knob{SSLOffload},
			About: "the management log shows the private keys of certificates (LoadBalancerTO.java@4.22.0.0)",
		},
		{
			Name: SSLHealthCheckRed, Part: "api", Needs: []Knob{SSLOffload},
			About: "a router's health check is red for each rule that ends TLS: it compares the whole bind line with " +
				"the address (#12591, haproxy_check.py@4.22.0.0)",
		},
		{
			Name: SSLWithoutCertificatePlain, Part: "router", Needs: []Knob{SSLOffload},
			About: "a rule of protocol ssl without a certificate answers plain text " +
				"(HAProxyConfigurator.java@4.22.0.0)",
		},
		{
			Name: ForwardedProtoKept, Part: "router", Needs: []Knob{SSLOffload},
			About: "a rule that ends TLS leaves a client's own X-Forwarded-Proto in front of its own " +
				"(HAProxyConfigurator.java@4.22.0.0)",
		},
		{
			Name: NetworkIDMustMatch, Part: "api",
			About: "createLoadBalancerRule refuses a networkid that is not that of the address (#12785)",
		},
	}
}
