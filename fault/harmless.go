package fault

import "github.com/stackproof/stackproof/release"

// Faults of commands that change something and end nothing: they write usage events that no release writes there.
const (
	UpdateCreatesAgain  release.Knob = "update-creates-again"
	StickEndsRule       release.Knob = "stick-ends-rule"
	RemoveEndsSibling   release.Knob = "remove-ends-sibling"
	DisableEndsRule     release.Knob = "disable-ends-rule"
	RestartRenewsRules  release.Knob = "restart-renews-rules"
	StopEndsForwards    release.Knob = "stop-ends-forwards"
	RebootEndsVolumes   release.Knob = "reboot-ends-volumes"
	ResizeCreatesVolume release.Knob = "resize-creates-volume"
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
	}
}
