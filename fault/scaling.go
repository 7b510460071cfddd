package fault

import "github.com/stackproof/stackproof/release"

// Faults of autoscale groups: what becomes of their settings.
const (
	ProfileUpdateIgnored release.Knob = "profile-update-ignored"
	PolicyFirstCondition release.Knob = "policy-first-condition"
	MonitorOldBounds     release.Knob = "monitor-old-bounds"
	EnabledUnwatched     release.Knob = "enabled-unwatched"
	OneTooManyStays      release.Knob = "one-too-many-stays"
	DisabledGroupActs    release.Knob = "disabled-group-acts"
	// Of schedules, which the branch of the next release has.
	ScheduleNeverActs     release.Knob = "schedule-never-acts"
	ScheduleForgetsMax    release.Knob = "schedule-forgets-max"
	SchedulesOutliveGroup release.Knob = "schedules-outlive-group"
	AtLeastIsMore         release.Knob = "at-least-is-more"
	MemberSettingsLost    release.Knob = "member-settings-lost"
)

func scalingFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: ProfileUpdateIgnored, Part: "api",
			About: "updateAutoScaleVmProfile answers success and keeps the service offering",
		},
		{
			Name: PolicyFirstCondition, Part: "api",
			About: "an autoscale policy has the first of its conditions only",
		},
		{
			Name: MonitorOldBounds, Part: "api",
			About: "the group monitor goes by the minimum that the group was created with",
		},
		{
			Name: EnabledUnwatched, Part: "api",
			About: "a group that was disabled once has no monitor any more when it is enabled",
		},
		{
			Name: OneTooManyStays, Part: "api",
			About: "a group with one member more than its maximum keeps it",
		},
		{
			Name: ScheduleNeverActs, Part: "api", Needs: []release.Knob{release.GroupSchedules},
			About: "a schedule of an autoscale group changes nothing when its time comes",
		},
		{
			Name: ScheduleForgetsMax, Part: "api", Needs: []release.Knob{release.GroupSchedules},
			About: "a schedule of an autoscale group does not lower its maximum",
		},
		{
			Name: SchedulesOutliveGroup, Part: "api", Needs: []release.Knob{release.GroupSchedules},
			About: "deleteAutoScaleVmGroup leaves the schedules of the group",
		},
		{
			Name: DisabledGroupActs, Part: "api",
			About: "the policies of a disabled group act",
		},
		{
			Name: AtLeastIsMore, Part: "api",
			About: "a condition that holds at its threshold, too, holds beyond it only",
		},
		{
			Name: MemberSettingsLost, Part: "api",
			About: "members of autoscale groups get neither the disk nor the networks that their profile names",
		},
	}
}
