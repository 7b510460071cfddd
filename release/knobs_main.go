package release

// The behaviours that the branch of the next release has brought so far.
const (
	SoftDeleteRules         Knob = "soft-delete-rules"
	SoftDeleteJoinBlind     Knob = "soft-delete-join-blind"
	FailedDeleteDropsPolicy Knob = "failed-delete-drops-policy"
	MappingTwiceStuck       Knob = "mapping-twice-stuck"
	MemberMappedTwice       Knob = "member-mapped-twice"
	RemovedTwiceFails       Knob = "removed-twice-fails"
	EnabledMinMaxUpdate     Knob = "enabled-min-max-update"
	KeyPairs                Knob = "key-pairs"
	AnswersOfMain           Knob = "answers-of-main"
	EventTextUUID           Knob = "event-text-uuid"
	VPCConserveMode         Knob = "vpc-conserve-mode"
	GroupSchedules          Knob = "group-schedules"
	VPCFirewall             Knob = "vpc-firewall"
	VPCFirewallBarsRules    Knob = "vpc-firewall-bars-rules"
)

// ofMain are told from its source, the newest of August 2026. No server of it was seen.
func ofMain() []KnobInfo {
	return []KnobInfo{
		{
			Name: SoftDeleteRules, Part: "api",
			About: "rules, their members and policies keep their rows with a removal date: listUsageRecords names " +
				"a deleted rule, and lists by its id are empty where they were refused (#13015)",
		},
		{
			Name: SoftDeleteJoinBlind, Part: "api",
			About: "lists and guards join former members: a rule is still listed for a VM that was taken from it, " +
				"and an address that was a member cannot be removed from its NIC (#13015)",
		},
		{
			Name: FailedDeleteDropsPolicy, Part: "api",
			About: "a rule whose delete could not be pushed has lost its stickiness policy (#13015)",
		},
		{
			Name: MappingTwiceStuck, Part: "api",
			About: "a member whose removal by address failed can be assigned again, and is then there twice: its " +
				"rows cannot be removed with one date, and every later call on the rule fails (#13015)",
		},
		{
			Name: MemberMappedTwice, Part: "api",
			About: "assignToLoadBalancerRule that names a VM by its id and by an address looks at the address " +
				"alone: its primary address is mapped again, which no key forbids any more (#13015)",
		},
		{
			Name: RemovedTwiceFails, Part: "api",
			About: "a member that is taken from a rule twice within a second violates the key of its rows: the " +
				"second removal is pushed, and fails (#13015)",
		},
		{
			Name: EnabledMinMaxUpdate, Part: "api",
			About: "minimum and maximum of an autoscale group may change in any state (#13148)",
		},
		{
			Name: KeyPairs, Part: "api",
			About: "a user has several key pairs: registerUserKeys makes one more, listUserKeys lists them and " +
				"deleteUserKeys takes one away (#9504)",
		},
		{
			Name: AnswersOfMain, Part: "api",
			About: "networks and VPCs answer keepmacaddressonpublicnic, VPCs vpcofferingconservemode, VMs isos and " +
				"isomaxcount, and NICs of VMs enabled (UserVmJoinDaoImpl.java@main)",
		},
		{
			Name: GroupSchedules, Part: "api", Needs: []Knob{EnabledMinMaxUpdate},
			About: "createResourceSchedule gives an autoscale group other bounds at certain times (#13148)",
		},
		{
			Name: VPCConserveMode, Part: "api",
			About: "a VPC's offering may be in conserve mode: an address then carries rules of several tiers, and a " +
				"load balancer rule may have VMs of other tiers, which vmidipmap names with vmnetworkid (#12487)",
		},
		{
			Name: VPCFirewall, Part: "api",
			About: "a VPC's offering may have the service Firewall: a firewall rule of an address of the VPC belongs " +
				"to the VPC and to no tier (#12706)",
		},
		{
			Name: VPCFirewallBarsRules, Part: "api", Needs: []Knob{VPCFirewall},
			About: "an address of a VPC that is not in conserve mode takes no load balancing and no port forwarding " +
				"once it has a firewall rule: the rule has no network, and counts as one of another " +
				"(FirewallManagerImpl.detectRulesConflict@main)",
		},
		{
			Name: EventTextUUID, Part: "api",
			About: "texts of events name rules by their uuid, not by their internal id (#12502)",
		},
	}
}
