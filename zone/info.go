package zone

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

func (z *Zone) infoCommands() []command {
	return []command{
		{
			name: "listApis", about: "lists all available apis on the server, provided by the Api Discovery plugin",
			params: []param{{"name", "string", false, "API name"}}, run: listAPIs,
		},
		{name: "listCapabilities", about: "Lists capabilities", run: listCapabilities},
		{
			name: "listZones", about: "Lists zones",
			params: listParams(param{"id", "uuid:zone", false, "the ID of the zone"}, param{"name", "string", false, "the name of the zone"},
				param{"available", "boolean", false, "true if you want to retrieve all available Zones."}),
			run: listZones,
		},
		{
			name: "listHosts", about: "Lists hosts.", admin: true,
			params: listParams(param{"id", "uuid:host", false, "the id of the host"}, param{"name", "string", false, "the name of the host"}, param{"type", "string", false, "the host type"},
				param{"zoneid", "uuid:zone", false, "the Zone ID for the host"}, param{"state", "string", false, "the state of the host"}),
			run: listHosts,
		},
	}
}

// listAPIs describes the commands that the caller may use, as API discovery does.
func listAPIs(z *Zone, c *call) (obj, error) {
	if c.has("name") {
		cmd, ok := z.registry[c.str("name")]
		if !ok || cmd.admin && callerOf(c).Account.Type == 0 {
			return nil, permission("The API [%s] does not exist or is not available for the account %s.", c.str("name"), callerOf(c).Account.Name)
		}
		return obj{"count": 1, "api": []obj{describeAPI(cmd)}}, nil
	}
	var out []obj
	for i := range z.order {
		if cmd := &z.order[i]; !cmd.admin || callerOf(c).Account.Type != 0 {
			out = append(out, describeAPI(cmd))
		}
	}
	return obj{"count": len(out), "api": out}, nil
}

func describeAPI(cmd *bound) obj {
	params := []obj{}
	for _, p := range cmd.params {
		typ, entity, _ := strings.Cut(p.typ, ":")
		one := obj{"name": p.name, "description": p.about, "type": typ, "length": 255, "required": p.required}
		if entity != "" {
			one["related"] = ""
		}
		params = append(params, one)
	}
	out := obj{"name": cmd.name, "description": cmd.about, "isasync": cmd.kind != syncCommand, "params": params, "response": responseFields(cmd)}
	if related := related(cmd); related != "" {
		out["related"] = related
	}
	return out
}

// related names the list command of the same object: enough for a client that follows it.
func related(cmd *bound) string {
	for _, verb := range []string{"create", "update", "delete", "start", "stop", "enable", "disable"} {
		if object, ok := strings.CutPrefix(cmd.name, verb); ok {
			if strings.HasSuffix(object, "y") {
				return "list" + strings.TrimSuffix(object, "y") + "ies"
			}
			return "list" + object + "s"
		}
	}
	return ""
}

// responseFields are those that every answer of the kind has.
func responseFields(cmd *bound) []obj {
	fields := []obj{
		{"name": "jobid", "description": "the UUID of the latest async job acting on this object", "type": "string"},
		{"name": "jobstatus", "description": "the current status of the latest async job acting on this object", "type": "integer"},
	}
	if strings.HasPrefix(cmd.name, "delete") {
		return append(fields, obj{"name": "success", "description": "true if operation is executed successfully", "type": "boolean"})
	}
	return append(fields, obj{"name": "id", "description": "the ID of the object", "type": "string"})
}

// listCapabilities fails on 4.20.0.0 with a simulator zone, as recorded.
func listCapabilities(z *Zone, c *call) (obj, error) {
	if z.knobs[release.CapabilitiesNullString] {
		return nil, api.BadParameter("Cannot parse null string")
	}
	return obj{"capability": obj{
		"securitygroupsenabled": false, "dynamicrolesenabled": true, "cloudstackversion": z.Version(), "userpublictemplateenabled": true, "supportELB": "false",
		"projectinviterequired": false, "allowusercreateprojects": true, "customdiskofferingminsize": 1, "customdiskofferingmaxsize": 1024,
		"regionsecondaryenabled": false, "kvmsnapshotenabled": false, "allowuserviewdestroyedvm": true, "allowuserexpungerecovervm": true,
		"allowuserexpungerecovervolume": true, "allowuserviewalldomainaccounts": false, "kubernetesserviceenabled": false,
		"kubernetesclusterexperimentalfeaturesenabled": false, "customhypervisordisplayname": "Custom", "defaultuipagesize": 20,
		"instancesstatsretentiontime": 720, "instancesstatsuseronly": false, "instancesdisksstatsretentionenabled": false,
		"instancesdisksstatsretentiontime": 720,
	}}, nil
}

func listZones(z *Zone, c *call) (obj, error) {
	s := z.site
	if !z.hasZone() || c.has("id") && c.str("id") != s.UUID || c.has("name") && c.str("name") != siteName || !matches(c.str("keyword"), siteName) {
		return obj{}, nil
	}
	return c.page("zone", []obj{z.zoneAnswer()}), nil
}

func (z *Zone) zoneAnswer() obj {
	s := z.site
	out := obj{
		"id": s.UUID, "name": siteName, "dns1": "10.147.28.6", "internaldns1": "10.147.28.6", "guestcidraddress": "10.1.1.0/24", "networktype": "Advanced",
		"securitygroupsenabled": false, "allocationstate": z.allocation(), "zonetoken": s.Token, "dhcpprovider": "VirtualRouter", "localstorageenabled": false,
		"tags": []obj{}, "allowuserspecifyvrmtu": false, "routerprivateinterfacemaxmtu": 1500, "routerpublicinterfacemaxmtu": 1500, "type": "Core", "hasannotations": false,
	}
	z.newField(out, "isnsxenabled", false)
	z.newField(out, "ismultiarch", false)
	z.newField(out, "asnrange", "")
	z.laterField(out, "routedmodeenabled", false)
	return out
}

func listHosts(z *Zone, c *call) (obj, error) {
	var out []obj
	for i, h := range z.hosts {
		if c.has("id") && c.str("id") != h.UUID || c.has("name") && c.str("name") != h.Name || c.has("type") && !strings.EqualFold(c.str("type"), "Routing") {
			continue
		}
		out = append(out, z.hostAnswer(i, h))
	}
	return c.page("host", out), nil
}

func (z *Zone) hostAnswer(i int, h *Host) obj {
	out := obj{
		"id": h.UUID, "name": h.Name, "state": "Up", "type": "Routing", "ipaddress": "172.16.15." + itoa(10+i), "zoneid": z.site.UUID, "zonename": siteName,
		"podid": z.site.PodUUID, "podname": "POD0", "clustername": "C" + itoa(i/2), "hypervisor": "Simulator", "cpunumber": 4, "cpuspeed": 8000,
		"memorytotal": 8 << 30, "resourcestate": "Enabled", "version": z.Version(),
	}
	if h.Cluster != "" {
		out["clusterid"] = h.Cluster
	}
	return out
}

func (z *Zone) eventCommands() []command {
	return []command{{
		name: "listEvents", about: "A command to list events.",
		params: listParams(param{"id", "string", false, "the ID of the event"}, param{"type", "string", false, "the event type (see event types)"}, param{"level", "string", false, "the event level (INFO, WARN, ERROR)"},
			param{"startdate", "date", false, "the start date range of the list you want to retrieve"}, param{"enddate", "date", false, "the end date range of the list you want to retrieve"},
			param{"startid", "string", false, "the parent/start ID of the event, when provided this will list all the events with the start/parent ID including the parent event"},
			param{"resourceid", "string", false, "the ID of the resource associated with the event"}, param{"resourcetype", "string", false, "the type of the resource associated with the event"},
			param{"state", "string", false, "The state of the events"}),
		run: listEvents,
	}}
}

func listEvents(z *Zone, c *call) (obj, error) {
	from, errFrom := parseDate(c.str("startdate"))
	to, errTo := parseDate(c.str("enddate"))
	var out []obj
	for _, e := range z.events {
		if !visible(z, c, e.Account.(*Account)) || c.has("id") && c.str("id") != e.UUID || c.has("type") && c.str("type") != e.Type || c.has("level") && c.str("level") != e.Level ||
			c.has("state") && !strings.EqualFold(c.str("state"), e.State) || !matches(c.str("keyword"), e.Type, e.Text, e.Level) ||
			errFrom == nil && e.Created.Before(from) || errTo == nil && e.Created.After(to) ||
			c.has("resourcetype") && c.str("resourcetype") != e.ResourceType || c.has("resourceid") && (c.str("resourceid") != e.ResourceUUID || e.ResourceID == 0) {
			continue
		}
		if start := c.str("startid"); start != "" && e.UUID != start && z.eventUUID(e.StartID) != start {
			continue
		}
		out = append(out, z.eventAnswer(e))
	}
	return c.page("event", out), nil
}

func (z *Zone) eventUUID(id int64) string {
	i, ok := slices.BinarySearchFunc(z.events, id, func(e *Event, id int64) int { return int(e.ID - id) })
	if !ok {
		return ""
	}
	return z.events[i].UUID
}

// eventAnswer names the resource only while it exists: rules are really deleted.
func (z *Zone) eventAnswer(e *Event) obj {
	user, account := e.User.(*User), e.Account.(*Account)
	out := obj{
		"id": e.UUID, "username": user.Username, "type": e.Type, "level": e.Level, "description": e.Text, "account": account.Name,
		"domainid": account.Domain.UUID, "domain": account.Domain.Name, "created": stamp(e.Created), "state": e.State,
	}
	z.domainPath(out, account.Domain.Path)
	if e.ResourceType != "" {
		out["resourcetype"] = e.ResourceType
	}
	gone := e.ResourceType == "FirewallRule" && z.lbRuleByUUID(e.ResourceUUID) == nil && z.pfRuleByUUID(e.ResourceUUID) == nil && z.fwRuleByUUID(e.ResourceUUID) == nil
	if e.ResourceID != 0 && e.ResourceUUID != "" && !gone && e.ResourceType != "None" {
		out["resourceid"] = e.ResourceUUID
	}
	if parent := z.eventUUID(e.StartID); parent != "" {
		out["parentid"] = parent
	}
	return out
}
