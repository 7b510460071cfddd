package autoscale

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Schedule changes the bounds of a group at certain times (#13148, AutoScaleScheduleWorker.java@main). The lab's tables
// have none of its kind, so that it lives in memory only. Those of instances are not in the lab.
type Schedule struct {
	UUID, Text, Cron string
	Group            *Group
	Zone             *time.Location
	Enabled          bool
	Min, Max         int
	Created          time.Time
	when             cron // what Cron says
	due              *kernel.Task
}

const scheduleClasses = "org.apache.cloudstack.api.command.user.schedule."

func scheduleCommands() []command {
	kind := param{Name: "resourcetype", Type: "string", Required: true, About: "Type of the resource"}
	of := param{Name: "resourceid", Type: "string", Required: true, About: "ID of the resource"}
	change := []param{
		{Name: "description", Type: "string", About: "Description of the schedule"},
		{Name: "enabled", Type: "boolean", About: "Enable or disable the schedule."},
		{Name: "details", Type: "map", About: "Map of (key/value pairs) details for the schedule."},
	}
	when := []param{
		{Name: "schedule", Type: "string", Required: true, About: "Schedule for action on resource in cron format."},
		{Name: "timezone", Type: "string", Required: true, About: "Specifies a timezone for this command."},
	}
	later := slices.Clone(when)
	later[0].Required, later[1].Required = false, false
	id := param{Name: "id", Type: "uuid", About: "ID of the schedule"}
	own := id
	own.Required = true
	return []command{
		{
			Name: "createResourceSchedule", About: "Create Resource Schedule", With: release.GroupSchedules,
			Class: scheduleClasses + "CreateResourceScheduleCmd", Event: "SCHEDULE.CREATE",
			Eventful: kernel.EventSync, Action: "Creating Resource Schedule",
			Params: slices.Concat([]param{kind, of, {Name: "action", Type: "string", Required: true,
				About: "Action to take on the resource."}}, when, change),
			Run: createSchedule,
		},
		{
			Name: "updateResourceSchedule", About: "Update Resource Schedule", With: release.GroupSchedules,
			Class: scheduleClasses + "UpdateResourceScheduleCmd", Event: "SCHEDULE.UPDATE",
			Eventful: kernel.EventSync, Action: "Updating Resource Schedule",
			Params: slices.Concat([]param{own}, later, change), Run: updateSchedule,
		},
		{
			Name: "deleteResourceSchedule", About: "Delete Resource Schedule", With: release.GroupSchedules,
			Class: scheduleClasses + "DeleteResourceScheduleCmd", Event: "SCHEDULE.DELETE",
			Eventful: kernel.EventSync, Action: "Deleting Resource Schedule",
			Params: []param{kind, of, id}, Run: deleteSchedule,
		},
		{
			Name: "listResourceSchedule", About: "List Resource Schedules", With: release.GroupSchedules,
			Params: kernel.ListParams(kind, of, id), Run: listSchedules,
		},
	}
}

// scheduled is the group that a call names; one that is gone is found no more.
func scheduled(mgr *Manager, c *kernel.Call) (*Group, error) {
	if !strings.EqualFold(c.Str("resourcetype"), "AutoScaleVmGroup") {
		return nil, api.Invalid("Scheduling is not supported for resource type: %s", c.Str("resourcetype"))
	}
	g := mgr.GroupByUUID(c.Str("resourceid"))
	if g == nil || !g.Removed.IsZero() {
		return nil, api.Invalid("Unable to find resource by id %s", c.Str("resourceid"))
	}
	c.EventResource, c.EventResourceType = g.ID, "AutoScaleVmGroup"
	return g, tenancy.MayUse(mgr.tenancy, c, g.Account, "autoscale vm group")
}

// bounds reads the details, of which both are required (AutoScaleScheduleWorker.validateDetails@main).
func (s *Schedule) bounds(c *kernel.Call) error {
	details := map[string]string{}
	for _, e := range c.Entries("details") {
		maps.Copy(details, e)
	}
	if len(details) == 0 {
		return api.Invalid("Details are required for AutoScaleVmGroup schedule")
	}
	least, errLeast := strconv.Atoi(details["minmembers"])
	most, errMost := strconv.Atoi(details["maxmembers"])
	switch {
	case details["minmembers"] == "" || details["maxmembers"] == "":
		return api.Invalid("Both minmembers and maxmembers are required for AutoScaleVmGroup schedule")
	case len(details) > 2:
		return api.Invalid("Only minmembers and maxmembers are supported for AutoScaleVmGroup schedule details")
	case errLeast != nil || errMost != nil:
		return api.Invalid("minmembers and maxmembers must be valid integers")
	}
	changed := *s.Group
	changed.Min, changed.Max = least, most
	if err := checkGroup(&changed); err != nil {
		return err
	}
	s.Min, s.Max = least, most
	return nil
}

// moments reads when the schedule acts.
func (s *Schedule) moments(c *kernel.Call) error {
	if c.Has("schedule") {
		when, err := parseCron(c.Str("schedule"))
		if err != nil {
			return err
		}
		s.Cron, s.when = c.Str("schedule"), when
	}
	if c.Has("timezone") {
		zone, err := time.LoadLocation(c.Str("timezone"))
		if err != nil {
			zone = time.UTC // as java.util.TimeZone reads what it does not know
		}
		s.Zone = zone
	}
	s.Enabled = c.Boolean("enabled", s.Enabled)
	if c.Has("description") {
		s.Text = c.Str("description")
	}
	return nil
}

func createSchedule(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := scheduled(mgr, c)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.Str("action"), "UPDATE") {
		return nil, api.Invalid("Invalid action for AutoScaleVmGroup schedule: %s. Supported actions: [UPDATE]",
			c.Str("action"))
	}
	s := &Schedule{UUID: mgr.UUID(), Group: g, Zone: time.UTC, Enabled: true, Created: mgr.Now()}
	if err := s.bounds(c); err != nil {
		return nil, err
	}
	if err := s.moments(c); err != nil {
		return nil, err
	}
	if s.Text == "" {
		s.Text = fmt.Sprintf("UPDATE Min (%d) Max (%d) - %s", s.Min, s.Max, s.Cron)
	}
	mgr.Schedules = append(mgr.Schedules, s)
	planSchedule(mgr, s, mgr.Now().Add(time.Minute)) // which is when it begins
	return obj{"resourceschedule": s.answer()}, nil
}

// planSchedule plans the schedule's next time after a moment.
func planSchedule(mgr *Manager, s *Schedule, after time.Time) {
	if s.due != nil {
		mgr.Cancel(s.due)
		s.due = nil
	}
	if at, ok := s.when.next(after.In(s.Zone)); ok && s.Enabled {
		s.due = mgr.At(at.UTC(), "schedule of group "+s.Group.Name, func(ctx context.Context) {
			s.due = nil
			actOnSchedule(mgr, ctx, s)
			planSchedule(mgr, s, at)
		})
	}
}

// actOnSchedule gives the group the schedule's bounds. A schedule whose group is gone disables itself
// (BaseScheduleWorker.scheduleNextJob@main).
func actOnSchedule(mgr *Manager, ctx context.Context, s *Schedule) {
	g := s.Group
	if !g.Removed.IsZero() || g.State == groupRevoke {
		s.Enabled = false
		writeScheduled(mgr, ctx, s, "SCHEDULE.UPDATE", fmt.Sprintf("Auto-disabled resource schedule (uuid=%s "+
			"description='%s') for AutoScaleVmGroup (id=%d): owning resource is no longer valid", s.UUID, s.Text, g.ID))
		return
	}
	if mgr.On(fault.ScheduleNeverActs) {
		return
	}
	writeScheduled(mgr, ctx, s, "AUTOSCALEVMGROUP.SCHEDULE.UPDATE", fmt.Sprintf("Executing action UPDATE (min=%d "+
		"max=%d) for AutoScaleVmGroup: %s (min=%d max=%d)", s.Min, s.Max, g.UUID, g.Min, g.Max))
	g.Min, g.Max = s.Min, s.Max
	if mgr.On(fault.ScheduleForgetsMax) {
		g.Max = max(g.Min, g.Max, len(g.Members))
	}
	if err := mgr.Update(ctx, "cloud.autoscale_vmgroups", g.ID,
		obj{"min_members": g.Min, "max_members": g.Max}); err != nil {
		mgr.Log.Error("acting on a schedule", "group", g.ID, "err", err)
	}
}

func writeScheduled(mgr *Manager, ctx context.Context, s *Schedule, kind, text string) {
	g := s.Group
	if _, err := mgr.Event(ctx, kernel.Event{Type: kind, State: "Completed", Level: "INFO", Text: text,
		Account: g.Account, ResourceID: g.ID, ResourceType: "AutoScaleVmGroup", ResourceUUID: g.UUID}); err != nil {
		mgr.Log.Error("writing an event", "group", g.ID, "err", err)
	}
}

func updateSchedule(mgr *Manager, c *kernel.Call) (obj, error) {
	at := slices.IndexFunc(mgr.Schedules, func(s *Schedule) bool { return s.UUID == c.Str("id") })
	if at < 0 {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	s := mgr.Schedules[at]
	if err := tenancy.MayUse(mgr.tenancy, c, s.Group.Account, "autoscale vm group"); err != nil {
		return nil, err
	}
	changed := *s
	if c.HasMap("details") {
		if err := changed.bounds(c); err != nil {
			return nil, err
		}
	}
	if err := changed.moments(c); err != nil {
		return nil, err
	}
	*s = changed
	c.EventResource, c.EventResourceType = s.Group.ID, "AutoScaleVmGroup"
	planSchedule(mgr, s, mgr.Now())
	return obj{"resourceschedule": s.answer()}, nil
}

func deleteSchedule(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := scheduled(mgr, c)
	if err != nil {
		return nil, err
	}
	dropSchedules(mgr, func(s *Schedule) bool {
		return s.Group == g && (!c.Has("id") || s.UUID == c.Str("id"))
	})
	return obj{"success": true}, nil
}

// dropSchedules removes schedules, and what they have planned.
func dropSchedules(mgr *Manager, these func(*Schedule) bool) {
	mgr.Schedules = slices.DeleteFunc(mgr.Schedules, func(s *Schedule) bool {
		if !these(s) {
			return false
		}
		if s.due != nil {
			mgr.Cancel(s.due)
		}
		return true
	})
}

func listSchedules(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := scheduled(mgr, c)
	if err != nil {
		return nil, err
	}
	var out []obj
	for _, s := range mgr.Schedules {
		if s.Group == g && (!c.Has("id") || s.UUID == c.Str("id")) {
			out = append(out, s.answer())
		}
	}
	return c.Page("resourceschedule", out), nil
}

func (s *Schedule) answer() obj {
	return obj{"id": s.UUID, "resourcetype": "AutoScaleVmGroup", "resourceid": s.Group.UUID, "description": s.Text,
		"schedule": "0 " + s.Cron, "timezone": s.Zone.String(), "action": "UPDATE", "enabled": s.Enabled,
		"startdate": kernel.Stamp(s.Created.Add(time.Minute)), "created": kernel.Stamp(s.Created),
		"details": obj{"minmembers": strconv.Itoa(s.Min), "maxmembers": strconv.Itoa(s.Max)}}
}
