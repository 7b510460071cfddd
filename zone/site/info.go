package site

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func infoCommands() []command {
	return []command{
		{
			Name: "listApis", About: "lists all available apis on the server, provided by the Api Discovery plugin",
			Params: []param{{Name: "name", Type: "string", About: "API name"}}, Run: listAPIs,
		},
		{Name: "listCapabilities", About: "Lists capabilities", Run: listCapabilities},
		{
			Name: "listZones", About: "Lists zones",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:zone", About: "the ID of the zone"},
				param{Name: "name", Type: "string", About: "the name of the zone"},
				param{Name: "available", Type: "boolean", About: "true if you want to retrieve all available Zones."}),
			Run: listZones,
		},
		{
			Name: "listHosts", About: "Lists hosts.", Admin: true,
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:host", About: "the id of the host"},
				param{Name: "name", Type: "string", About: "the name of the host"},
				param{Name: "type", Type: "string", About: "the host type"},
				param{Name: "zoneid", Type: "uuid:zone", About: "the Zone ID for the host"},
				param{Name: "state", Type: "string", About: "the state of the host"}),
			Run: listHosts,
		},
	}
}

// listAPIs describes the commands that the caller may use, as API discovery does.
func listAPIs(mgr *Manager, c *kernel.Call) (obj, error) {
	if c.Has("name") {
		cmd := mgr.Command(c.Str("name"))
		if !mgr.Has(cmd) || cmd.Admin && tenancy.Caller(c).Account.Type == 0 {
			return nil, tenancy.Permission("The API [%s] does not exist or is not available for the account %s.",
				c.Str("name"), tenancy.Caller(c).Account.Name)
		}
		return obj{"count": 1, "api": []obj{describeAPI(mgr, cmd)}}, nil
	}
	var out []obj
	all := mgr.Kernel.Commands()
	for i := range all {
		if cmd := &all[i]; mgr.Has(cmd) && (!cmd.Admin || tenancy.Caller(c).Account.Type != 0) {
			out = append(out, describeAPI(mgr, cmd))
		}
	}
	return obj{"count": len(out), "api": out}, nil
}

// listsOf names the commands that list objects of a kind: where cmk looks for what a parameter may be.
func (mgr *Manager) listsOf(entity string) string {
	var names []string
	for _, cmd := range mgr.Kernel.Commands() {
		if strings.HasPrefix(cmd.Name, "list") && slices.ContainsFunc(cmd.Params, func(p param) bool {
			return p.Name == "id" && p.Type == "uuid:"+entity
		}) {
			names = append(names, cmd.Name)
		}
	}
	return strings.Join(names, ",")
}

func describeAPI(mgr *Manager, cmd *kernel.Bound) obj {
	params := []obj{}
	for _, p := range cmd.Params {
		if !mgr.Takes(p) {
			continue
		}
		typ, entity, _ := strings.Cut(p.Type, ":")
		one := obj{"name": p.Name, "description": p.About, "type": typ, "length": 255, "required": p.Required}
		if entity != "" {
			one["related"] = mgr.listsOf(entity)
		}
		params = append(params, one)
	}
	out := obj{"name": cmd.Name, "description": cmd.About, "isasync": cmd.Kind != kernel.SyncCommand,
		"params": params, "response": responseFields(cmd)}
	if related := related(cmd); related != "" {
		out["related"] = related
	}
	return out
}

// related names the list command of the same object: enough for a client that follows it.
func related(cmd *kernel.Bound) string {
	for _, verb := range []string{"create", "update", "delete", "start", "stop", "enable", "disable"} {
		if object, ok := strings.CutPrefix(cmd.Name, verb); ok {
			if strings.HasSuffix(object, "y") {
				return "list" + strings.TrimSuffix(object, "y") + "ies"
			}
			return "list" + object + "s"
		}
	}
	return ""
}

// responseFields are those that every answer of the kind has.
func responseFields(cmd *kernel.Bound) []obj {
	fields := []obj{
		{"name": "jobid", "description": "the UUID of the latest async job acting on this object", "type": "string"},
		{"name": "jobstatus", "description": "the current status of the latest async job acting on this object",
			"type": "integer"},
	}
	if strings.HasPrefix(cmd.Name, "delete") {
		return append(fields, obj{"name": "success", "description": "true if operation is executed successfully",
			"type": "boolean"})
	}
	return append(fields, obj{"name": "id", "description": "the ID of the object", "type": "string"})
}

// listCapabilities fails on 4.20.0.0 with a simulator zone, as recorded.
func listCapabilities(mgr *Manager, c *kernel.Call) (obj, error) {
	if mgr.On(release.CapabilitiesNullString) {
		return nil, api.BadParameter("Cannot parse null string")
	}
	return obj{"capability": obj{
		"securitygroupsenabled": false, "dynamicrolesenabled": true, "cloudstackversion": mgr.Version(),
		"userpublictemplateenabled": true, "supportELB": "false",
		"projectinviterequired": false, "allowusercreateprojects": true, "customdiskofferingminsize": 1,
		"customdiskofferingmaxsize": 1024,
		"regionsecondaryenabled":    false, "kvmsnapshotenabled": false, "allowuserviewdestroyedvm": true,
		"allowuserexpungerecovervm":     true,
		"allowuserexpungerecovervolume": true, "allowuserviewalldomainaccounts": false,
		"kubernetesserviceenabled":                     false,
		"kubernetesclusterexperimentalfeaturesenabled": false, "customhypervisordisplayname": "Custom",
		"defaultuipagesize":           20,
		"instancesstatsretentiontime": 720, "instancesstatsuseronly": false,
		"instancesdisksstatsretentionenabled": false,
		"instancesdisksstatsretentiontime":    720,
		"allowuserforcestopvm":                true, "sharedfsvmmincpucount": 2, "sharedfsvmminramsize": 1024,
	}}, nil
}

func listZones(mgr *Manager, c *kernel.Call) (obj, error) {
	s := mgr.net.Site
	if !mgr.net.HasZone() || c.Has("id") && c.Str("id") != s.UUID || c.Differs("name", net.SiteName) ||
		!kernel.Matches(c.Str("keyword"), net.SiteName) {
		return obj{}, nil
	}
	return c.Page("zone", []obj{zoneAnswer(mgr)}), nil
}

func zoneAnswer(mgr *Manager) obj {
	s := mgr.net.Site
	out := obj{
		"id": s.UUID, "name": net.SiteName, "dns1": "10.147.28.6", "internaldns1": "10.147.28.6",
		"guestcidraddress": "10.1.1.0/24", "networktype": "Advanced",
		"securitygroupsenabled": false, "allocationstate": mgr.allocation(), "zonetoken": s.Token,
		"dhcpprovider": "VirtualRouter", "localstorageenabled": false,
		"tags": []obj{}, "allowuserspecifyvrmtu": false, "routerprivateinterfacemaxmtu": 1500,
		"routerpublicinterfacemaxmtu": 1500, "type": "Core", "hasannotations": false,
	}
	mgr.NewField(out, "isnsxenabled", false)
	mgr.NewField(out, "ismultiarch", false)
	mgr.NewField(out, "asnrange", "")
	mgr.LaterField(out, "routedmodeenabled", false)
	return out
}

func listHosts(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for i, h := range mgr.net.Hosts {
		if c.Has("id") && c.Str("id") != h.UUID || c.Differs("name", h.Name) || c.Has("type") &&
			!strings.EqualFold(c.Str("type"), "Routing") {
			continue
		}
		out = append(out, hostAnswer(mgr, i, h))
	}
	return c.Page("host", out), nil
}

func hostAnswer(mgr *Manager, i int, h *net.Host) obj {
	out := obj{
		"id": h.UUID, "name": h.Name, "state": "Up", "type": "Routing", "ipaddress": "172.16.15." + kernel.Itoa(10+i),
		"zoneid": mgr.net.Site.UUID, "zonename": net.SiteName,
		"podid": mgr.net.Site.PodUUID, "podname": "POD0", "clustername": "C" + kernel.Itoa(i/2),
		"hypervisor": "Simulator", "cpunumber": 4, "cpuspeed": 8000,
		"memorytotal": 8 << 30, "resourcestate": "Enabled", "version": mgr.Version(),
	}
	if h.Cluster != "" {
		out["clusterid"] = h.Cluster
	}
	return out
}

func eventCommands() []command {
	return []command{{
		Name: "listEvents", About: "A command to list events.",
		Params: kernel.ListParams(param{Name: "id", Type: "string", About: "the ID of the event"},
			param{Name: "type", Type: "string", About: "the event type (see event types)"},
			param{Name: "level", Type: "string", About: "the event level (INFO, WARN, ERROR)"},
			param{Name: "startdate", Type: "date", About: "the start date range of the list you want to retrieve"},
			param{Name: "enddate", Type: "date", About: "the end date range of the list you want to retrieve"},
			param{Name: "startid", Type: "string", About: "the parent/start ID of the event, when provided this " +
				"will list all the events with the start/parent ID including the parent event"},
			param{Name: "resourceid", Type: "string", About: "the ID of the resource associated with the event"},
			param{Name: "resourcetype", Type: "string", About: "the type of the resource associated with the event"},
			param{Name: "state", Type: "string", About: "The state of the events"}),
		Run: listEvents,
	}}
}

func listEvents(mgr *Manager, c *kernel.Call) (obj, error) {
	from, errFrom := kernel.ParseDate(c.Str("startdate"))
	to, errTo := kernel.ParseDate(c.Str("enddate"))
	var out []obj
	for _, e := range slices.Backward(mgr.Events) {
		if !tenancy.Visible(mgr.tenancy, c, e.Account.(*tenancy.Account)) || c.Has("id") && c.Str("id") != e.UUID ||
			c.Has("type") && c.Str("type") != e.Type || c.Has("level") && c.Str("level") != e.Level ||
			c.Has("state") && !strings.EqualFold(c.Str("state"), e.State) ||
			!kernel.Matches(c.Str("keyword"), e.Type, e.Text, e.Level) ||
			errFrom == nil && e.Created.Before(from) || errTo == nil && e.Created.After(to) ||
			c.Has("resourcetype") && c.Str("resourcetype") != e.ResourceType || c.Has("resourceid") &&
			(c.Str("resourceid") != e.ResourceUUID || e.ResourceID == 0) {
			continue
		}
		if start := c.Str("startid"); start != "" && e.UUID != start && eventUUID(mgr, e.StartID) != start {
			continue
		}
		out = append(out, eventAnswer(mgr, e))
	}
	// The page is taken from the newest; a second query fetches its rows, in the order of their ids
	// (QueryManagerImpl.java@4.20.1.0, and the recordings).
	answer := c.Page("event", out)
	if page, ok := answer["event"].([]obj); ok {
		slices.Reverse(page)
	}
	return answer, nil
}

func eventUUID(mgr *Manager, id int64) string {
	i, ok := slices.BinarySearchFunc(mgr.Events, id, func(e *kernel.Event, id int64) int { return int(e.ID - id) })
	if !ok {
		return ""
	}
	return mgr.Events[i].UUID
}

// eventAnswer names the resource only while it exists: rules are really deleted.
func eventAnswer(mgr *Manager, e *kernel.Event) obj {
	user, account := e.User.(*tenancy.User), e.Account.(*tenancy.Account)
	out := obj{
		"id": e.UUID, "username": user.Username, "type": e.Type, "level": e.Level, "description": e.Text,
		"account":  account.Name,
		"domainid": account.Domain.UUID, "domain": account.Domain.Name, "created": kernel.Stamp(e.Created),
		"state": e.State,
	}
	mgr.tenancy.DomainPath(out, account.Domain)
	if e.ResourceType != "" {
		out["resourcetype"] = e.ResourceType
	}
	gone := e.ResourceType == "FirewallRule" && mgr.push.LBRuleByUUID(e.ResourceUUID) == nil &&
		mgr.firewall.PFRuleByUUID(e.ResourceUUID) == nil && mgr.firewall.FWRuleByUUID(e.ResourceUUID) == nil
	if e.ResourceID != 0 && e.ResourceUUID != "" && !gone && e.ResourceType != "None" {
		out["resourceid"] = e.ResourceUUID
	}
	if parent := eventUUID(mgr, e.StartID); parent != "" {
		out["parentid"] = parent
	}
	return out
}
