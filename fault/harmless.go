package fault

import "github.com/stackproof/stackproof/release"

// Faults of commands that change something and end nothing: most write usage events that no release writes there.
// Others take what is unusual for something else.
const (
	UpdateCreatesAgain  release.Knob = "update-creates-again"
	StickEndsRule       release.Knob = "stick-ends-rule"
	RemoveEndsSibling   release.Knob = "remove-ends-sibling"
	DisableEndsRule     release.Knob = "disable-ends-rule"
	RestartRenewsRules  release.Knob = "restart-renews-rules"
	StopEndsForwards    release.Knob = "stop-ends-forwards"
	RebootEndsVolumes   release.Knob = "reboot-ends-volumes"
	ResizeCreatesVolume release.Knob = "resize-creates-volume"
	NameMangled         release.Knob = "name-mangled"
	SecondNICStays      release.Knob = "second-nic-stays"
	AssignedAgain       release.Knob = "assigned-again"
)

func harmlessFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: UpdateCreatesAgain, Part: "api",
			About: "updateLoadBalancerRule writes LB.CREATE once more",
		},
		{
			Name: StickEndsRule, Part: "api",
			About: "createLBStickinessPolicy writes LB.DELETE for its rule, which lives on",
		},
		{
			Name: RemoveEndsSibling, Part: "api",
			About: "removeFromLoadBalancerRule writes LB.DELETE for another rule of the account",
		},
		{
			Name: DisableEndsRule, Part: "api",
			About: "disableAutoScaleVmGroup writes LB.DELETE for the group's rule, which lives on",
		},
		{
			Name: RestartRenewsRules, Part: "api",
			About: "restartVPC writes LB.DELETE and LB.CREATE for each load balancer rule of the VPC",
		},
		{
			Name: StopEndsForwards, Part: "api",
			About: "stopVirtualMachine writes NET.RULEDELETE for the port forwarding rules to the VM, which live on",
		},
		{
			Name: RebootEndsVolumes, Part: "api",
			About: "rebootVirtualMachine writes VOLUME.DELETE for the VM's volumes, which live on",
		},
		{
			Name: ResizeCreatesVolume, Part: "api",
			About: "resizeVolume writes VOLUME.CREATE once more",
		},
		{
			Name: NameMangled, Part: "api",
			About: "load balancer rules are stored without the quotes, brackets and foreign letters of their names",
		},
		{
			Name: SecondNICStays, Part: "api",
			About: "a VM that stops writes NETWORK.OFFERING.REMOVE for its default NIC only",
		},
		{
			Name: AssignedAgain, Part: "api",
			About: "assignToLoadBalancerRule takes a VM that is behind the rule already",
		},
	}
}
