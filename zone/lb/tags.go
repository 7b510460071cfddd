package lb

import (
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// tag is a tag of a load balancer rule, the only resource that carries tags here. The lab's tables have none of its
// kind, so that it lives in memory only.
type tag struct{ resource, owner, key, value string }

const taggable = "LoadBalancer"

func tagCommands() []command {
	resource := []param{
		{Name: "resourcetype", Type: "string", Required: true, About: "type of the resource"},
		{Name: "resourceids", Type: "list", Required: true, About: "list of resources to create the tags for"},
		{Name: "tags", Type: "map", Required: true, About: "Map of tags (key/value pairs)"},
	}
	return []command{
		{
			Name: "createTags", About: "Creates resource tag(s)", Class: kernel.UserClasses + "tag.CreateTagsCmd",
			Kind: kernel.AsyncCommand, Event: "CREATE_TAGS", Eventful: kernel.EventAsync,
			Action: "creating resource tags", Params: resource, Run: createTags,
		},
		{
			Name: "deleteTags", About: "Deleting resource tag(s)", Class: kernel.UserClasses + "tag.DeleteTagsCmd",
			Kind: kernel.AsyncCommand, Event: "DELETE_TAGS", Eventful: kernel.EventAsync,
			Action: "Deleting resource tags", Params: resource, Run: deleteTags,
		},
		{
			Name: "listTags", About: "List resource tag(s)",
			Params: kernel.ListParams(
				param{Name: "resourcetype", Type: "string", About: "list by resource type"},
				param{Name: "resourceid", Type: "string", About: "list by resource ID"},
				param{Name: "key", Type: "string", About: "list by key"},
				param{Name: "value", Type: "string", About: "list by value"}),
			Run: listTags,
		},
	}
}

// tagRules are the rules that a call names, all of them the caller's.
func tagRules(mgr *Manager, c *kernel.Call) ([]*push.Rule, error) {
	if !strings.EqualFold(c.Str("resourcetype"), taggable) {
		return nil, api.Invalid("Invalid resource type: %s", c.Str("resourcetype"))
	}
	var rules []*push.Rule
	for _, u := range c.List("resourceids") {
		r := mgr.push.LBRuleByUUID(u)
		if r == nil {
			return nil, api.Invalid("Unable to find resource by uuid %s", u)
		}
		if err := tenancy.MayUse(mgr.tenancy, c, r.Account, "load balancer rule"); err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func createTags(mgr *Manager, c *kernel.Call) (obj, error) {
	rules, err := tagRules(mgr, c)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		for _, e := range c.Entries("tags") {
			if mgr.hasTag(r, e["key"], "") {
				return nil, api.Invalid("tag %s already on LoadBalancer with id %s", e["key"], r.UUID)
			}
			mgr.tags = append(mgr.tags, tag{r.UUID, r.Account.Name, e["key"], e["value"]})
		}
	}
	return obj{"success": true}, nil
}

func deleteTags(mgr *Manager, c *kernel.Call) (obj, error) {
	rules, err := tagRules(mgr, c)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		for _, e := range c.Entries("tags") {
			mgr.tags = slices.DeleteFunc(mgr.tags, func(t tag) bool { return t.resource == r.UUID && t.key == e["key"] })
		}
	}
	return obj{"success": true}, nil
}

func listTags(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	all := c.Boolean("listall", false) && tenancy.Caller(c).Account.Type == 1
	for _, t := range mgr.tags {
		switch {
		case !all && t.owner != tenancy.Caller(c).Account.Name:
		case c.Has("resourceid") && c.Str("resourceid") != t.resource:
		case c.Has("resourcetype") && !strings.EqualFold(c.Str("resourcetype"), taggable):
		case c.Has("key") && c.Str("key") != t.key, c.Has("value") && c.Str("value") != t.value:
		default:
			out = append(out, t.answer())
		}
	}
	return c.Page("tag", out), nil
}

func (t tag) answer() obj {
	return obj{"key": t.key, "value": t.value, "resourcetype": taggable, "resourceid": t.resource, "account": t.owner}
}

// hasTag says whether a rule has a tag; an empty value is any.
func (mgr *Manager) hasTag(r *push.Rule, key, value string) bool {
	return slices.ContainsFunc(mgr.tags, func(t tag) bool {
		return t.resource == r.UUID && t.key == key && (value == "" || t.value == value)
	})
}

// tagged says whether a rule has all the tags that a list asks for.
func (mgr *Manager) tagged(r *push.Rule, c *kernel.Call) bool {
	return !slices.ContainsFunc(c.Entries("tags"),
		func(e map[string]string) bool { return !mgr.hasTag(r, e["key"], e["value"]) })
}

func (mgr *Manager) tagAnswers(r *push.Rule) []obj {
	out := []obj{}
	for _, t := range mgr.tags {
		if t.resource == r.UUID {
			out = append(out, t.answer())
		}
	}
	return out
}

func (mgr *Manager) dropTags(r *push.Rule) {
	mgr.tags = slices.DeleteFunc(mgr.tags, func(t tag) bool { return t.resource == r.UUID })
}
