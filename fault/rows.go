package fault

import "github.com/stackproof/stackproof/release"

// Faults of what is stored, and of the lists that are made of it.
const (
	PolicyRowsLeft     release.Knob = "policy-rows-left"
	MemberRowsLeft     release.Knob = "member-rows-left"
	UpdateNotStored    release.Knob = "update-not-stored"
	EmptyRuleActive    release.Knob = "empty-rule-active"
	ListNetworkIgnored release.Knob = "list-network-ignored"
	ListGroupsAll      release.Knob = "list-groups-all"
	ListCountOfPage    release.Knob = "list-count-of-page"
	ListOthersShown    release.Knob = "list-others-shown"
	FailedAssignStays  release.Knob = "failed-assign-stays"
	FailedPolicyStays  release.Knob = "failed-policy-stays"
	FailedRemovalStays release.Knob = "failed-removal-stays"
	AddressStaysTied   release.Knob = "address-stays-tied"
)

func rowFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: PolicyRowsLeft, Part: "api",
			About: "the stickiness policies of a deleted rule stay in the database",
		},
		{
			Name: MemberRowsLeft, Part: "api",
			About: "members that left their autoscale group stay in the database as members",
		},
		{
			Name: UpdateNotStored, Part: "api",
			About: "updateLoadBalancerRule changes the algorithm everywhere but in the database",
		},
		{
			Name: EmptyRuleActive, Part: "api",
			About: "a rule whose last member was removed stays Active",
		},
		{
			Name: ListNetworkIgnored, Part: "api",
			About: "listLoadBalancerRules ignores the network that it is asked for",
		},
		{
			Name: ListGroupsAll, Part: "api",
			About: "listAutoScaleVmGroups ignores the rule that it is asked for",
		},
		{
			Name: ListCountOfPage, Part: "api",
			About: "the count of listLoadBalancerRules is that of the page",
		},
		{
			Name: ListOthersShown, Part: "api",
			About: "listLoadBalancerRules shows the rules of all accounts to each of them",
		},
		{
			Name: FailedAssignStays, Part: "api",
			About: "a member whose push failed stays behind its rule",
		},
		{
			Name: FailedPolicyStays, Part: "api",
			About: "a stickiness policy whose push failed stays",
		},
		{
			Name: FailedRemovalStays, Part: "api",
			About: "a member whose removal could not be pushed goes with the next push",
		},
		{
			Name: AddressStaysTied, Part: "api",
			About: "a VPC's address without rules stays tied to its tier",
		},
	}
}
