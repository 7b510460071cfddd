package release

// newer are the behaviours that 4.20.3, 4.21 and 4.22 brought.
func newer() []KnobInfo {
	return []KnobInfo{
		{
			Name: TextsInstance, Part: "api",
			About: "texts say Instances, IP and Account where they said vms, ip and account (#7857)",
		},
		{
			Name: ConserveModeTier, Part: "api",
			About: "an address of a tier of the default VPC offering may carry load balancer and port forwarding rules " +
				"at once (schema-42010to42100.sql@4.21.0.0)",
		},
		{
			Name: NetrisProvider, Part: "api",
			About: "addresses answer forprovider, and counters of Netris are listed (IPAddressResponse.java@4.21.0.0)",
		},
		{
			Name: DomainPathPretty, Part: "api",
			About: "all answers write a domain's path as ROOT/name, where they wrote /name/ (ApiResponseHelper.java@4.22.0.0)",
		},
		{
			Name: DestroyAnswersNull, Part: "api",
			About: "the job of destroyVirtualMachine with expunge answers its object under the name null " +
				"(DestroyVMCmd.java@4.20.1.0, named from 4.20.2 on)",
		},
		{
			Name: ProtocolCheckedExactly, Part: "api",
			About: "where a router exists, the protocol of an update must be tcp, udp, tcp-proxy or ssl letter by letter; " +
				"create writes it in lower case (#11468)",
		},
		{
			Name: UpdatePushesAlways, Part: "api",
			About: "updateLoadBalancerRule pushes unless algorithm and protocol are both given as they are stored: what " +
				"is not given counts as changed (#11468, confirmed.md 37)",
		},
		{
			Name: UpdateWithoutProtocolFails, Part: "api", Needs: []Knob{UpdatePushesAlways},
			About: "updateLoadBalancerRule of a rule that was created without a protocol stores and pushes the change " +
				"and then fails with a null pointer (#11468, confirmed.md 36)",
		},
		{
			Name: UpdateProtocolNotRestored, Part: "api",
			About: "updateLoadBalancerRule whose push fails restores the rule, but not its protocol (#11468)",
		},
		{
			Name: UpdateCIDRList, Part: "api",
			About: "updateLoadBalancerRule takes cidrlist and stores it with commas, where create stores blanks (#11568, " +
				"confirmed.md 40)",
		},
		{
			Name: IdleTimeout, Part: "router",
			About: "pushes carry idleTimeout, a setting that the file's defaults take over: 0 leaves the timeouts out, a " +
				"negative one keeps what the management server wrote last (#12586)",
		},
		{
			Name: NICSecurityGroupNamed, Part: "router",
			About: "a push's NIC says securityGroupEnabled, where it said isSecurityGroupEnabled (NicTO.java@4.21.0.0)",
		},
		{
			Name: NetworkIDMustMatch, Part: "api",
			About: "createLoadBalancerRule refuses a networkid that is not that of the address (#12785)",
		},
	}
}
