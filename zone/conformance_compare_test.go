package zone

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// comparison is of one exchange.
type comparison struct {
	*replay
	where    string
	exchange *exchange
}

func (c *comparison) differ(path, format string, a ...any) {
	if allowed(path, a) != "" {
		return
	}
	c.diffs = append(c.diffs, fmt.Sprintf("%s %s: %s", c.where, path, fmt.Sprintf(format, a...)))
}

// looseCommands are compared in the fields that clients read; all others in every recorded field. Job results go by the
// object's name.
func looseObjects() map[string][]string {
	vm := strings.Fields("id name displayname account domainid domain state zoneid zonename hostid templateid " +
		"templatename serviceofferingid serviceofferingname cpunumber cpuspeed memory nic ipaddress instancename " +
		"created hypervisor tags securitygroup affinitygroup rootdeviceid rootdevicetype haenable networkid " +
		"networkname netmask gateway traffictype type isdefault macaddress secondaryip " +
		"autoscalevmgroupid autoscalevmgroupname displayvm passwordenabled jobid jobstatus details")
	return map[string][]string{
		"virtualmachine":           vm,
		"loadbalancerruleinstance": vm,
		"router": strings.Fields("id name state zoneid zonename account domainid domain hostid " +
			"publicip linklocalip guestipaddress guestnetworkid vpcid vpcname isredundantrouter redundantstate " +
			"role created nic version requiresupgrade networkid ipaddress traffictype"),
		"template": strings.Fields("id name displaytext ispublic isready format isfeatured " +
			"crossZones ostypeid ostypename account zoneid zonename status size templatetype hypervisor domain " +
			"domainid created passwordenabled isextractable tags"),
		"serviceoffering": strings.Fields("id name displaytext cpunumber cpuspeed memory created " +
			"storagetype offerha issystem defaultuse iscustomized"),
		"networkoffering": strings.Fields("id name displaytext state traffictype isdefault guestiptype " +
			"forvpc conservemode availability networkrate service provider specifyvlan created " +
			"egressdefaultpolicy ispersistent"),
		"vpcoffering": strings.Fields("id name displaytext state isdefault created service provider"),
		"zone": strings.Fields("id name networktype allocationstate dns1 internaldns1 " +
			"guestcidraddress securitygroupsenabled localstorageenabled dhcpprovider zonetoken tags type"),
		"api": strings.Fields("name description isasync params type required length " +
			"response related"),
		"capability": nil,
	}
}

// sameValues are fields whose value must be the recorded one, not only its type.
var sameValues = []string{
	"state", "algorithm", "publicport", "privateport", "protocol", "methodname", "errorcode", "cserrorcode",
	"jobstatus", "jobresultcode", "jobprocstatus",
	"cmd", "jobinstancetype", "jobresulttype", "accounttype", "level", "resourcetype", "usagetype", "minmembers",
	"maxmembers", "interval", "duration", "quiettime", "relationaloperator",
	"threshold", "issourcenat", "isstaticnat", "cidr", "gateway", "netmask", "action",
}

// compare walks recorded and own answer together.
func (c *comparison) compare(recorded, ours map[string]any) {
	if a, b := sortedKeys(recorded), sortedKeys(ours); !slices.Equal(a, b) {
		c.differ("", "root %v, recorded %v", b, a)
		return
	}
	for root, r := range recorded {
		rm, okR := r.(map[string]any)
		om, okO := ours[root].(map[string]any)
		if !okR || !okO {
			c.types(root, r, ours[root])
			continue
		}
		c.object("", rm, om, nil)
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// object compares every recorded field. read limits it to the fields that clients read, nil to none.
func (c *comparison) object(path string, recorded, ours map[string]any, read []string) {
	c.learn(recorded, ours)
	for _, k := range sortedKeys(recorded) {
		at := path + "." + k
		if read != nil && !slices.Contains(read, k) {
			continue
		}
		v, ok := ours[k]
		if !ok {
			c.differ(at, "missing")
			continue
		}
		below := read
		if fields, loose := looseObjects()[k]; loose && read == nil {
			below = fields
			if below == nil {
				below = []string{}
			}
		}
		if slices.Contains(freeObjects, k) {
			below = []string{}
		}
		c.value(at, k, recorded[k], v, below)
	}
	if read != nil {
		return
	}
	for _, k := range sortedKeys(ours) {
		if _, ok := recorded[k]; !ok {
			c.differ(path+"."+k, "not recorded (%v)", ours[k])
		}
	}
}

// freeObjects hold what the user or the hypervisor put there.
var freeObjects = []string{"details", "params"}

func (c *comparison) value(path, key string, recorded, ours any, read []string) {
	if !c.types(path, recorded, ours) {
		return
	}
	switch r := recorded.(type) {
	case map[string]any:
		c.object(path, r, ours.(map[string]any), read)
	case []any:
		c.list(path, r, ours.([]any), read)
	case string:
		if key == "errortext" && sameText(r) != sameText(ours.(string)) {
			c.differ(path, "%q, recorded %q", ours, r)
		}
	}
	if slices.Contains(sameValues, key) && fmt.Sprint(recorded) != fmt.Sprint(ours) {
		c.differ(path, "%v, recorded %v", ours, recorded)
	}
}

var digits = regexp.MustCompile(`\d+`)

// sameText makes two texts equal that differ in ids only.
func sameText(s string) string {
	return digits.ReplaceAllString(uuidForm.ReplaceAllString(s, "UUID"), "N")
}

func (c *comparison) types(path string, recorded, ours any) bool {
	a, b := jsonType(recorded), jsonType(ours)
	if a != b {
		c.differ(path, "is %s (%v), recorded %s (%v)", b, ours, a, recorded)
		return false
	}
	return true
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64, json.Number:
		return "number"
	case string:
		return "text"
	case []any:
		return "list"
	}
	return "object"
}

// list pairs the elements by known id, name, or place, and compares pairs. A list with entries must not be empty.
func (c *comparison) list(path string, recorded, ours []any, read []string) {
	if len(recorded) > 0 && len(ours) == 0 {
		c.differ(path, "empty, recorded %d", len(recorded))
		return
	}
	taken := map[int]bool{}
	for i, r := range recorded {
		rm, ok := r.(map[string]any)
		if !ok {
			c.types(path+"[]", r, ours[min(i, len(ours)-1)])
			continue
		}
		j := c.partner(rm, ours, taken, i)
		if j < 0 {
			continue
		}
		taken[j] = true
		om, ok := ours[j].(map[string]any)
		if !ok {
			c.types(path+"[]", r, ours[j])
			continue
		}
		c.object(path+"[]", rm, om, read)
	}
}

func (c *comparison) partner(recorded map[string]any, ours []any, taken map[int]bool, place int) int {
	by := func(key string, want any) int {
		for j, o := range ours {
			if m, ok := o.(map[string]any); ok && !taken[j] && want != nil && m[key] == want {
				return j
			}
		}
		return -1
	}
	if id, ok := recorded["id"].(string); ok {
		if mine, known := c.ids[id]; known {
			return by("id", mine)
		}
	}
	if j := by("name", recorded["name"]); j >= 0 {
		return j
	}
	if place < len(ours) && !taken[place] {
		return place
	}
	return -1
}

// learn pairs ids that stand at the same place.
func (c *comparison) learn(recorded, ours map[string]any) {
	for k, r := range recorded {
		rs, ok := r.(string)
		os, ok2 := ours[k].(string)
		if ok && ok2 && len(rs) == 36 && uuidForm.MatchString(rs) && uuidForm.MatchString(os) {
			if _, known := c.ids[rs]; !known {
				c.ids[rs] = os
			}
		}
	}
}

// allowed gives the reason why a difference is right, "" when it is not. The list is short on purpose.
func allowed(path string, values []any) string {
	if path == ".autoscalevmgroup[].state" && len(values) == 2 && values[0] == "ENABLED" && values[1] == "SCALING" {
		return "the recorded group was asked for while a member was starting; here a member starts at once"
	}
	return ""
}
