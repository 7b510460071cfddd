package site

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func tagCommands() []command {
	resources := []param{
		{Name: "resourceids", Type: "list", Required: true, About: "list of resources to create the tags for"},
		{Name: "resourcetype", Type: "string", Required: true, About: "type of the resource"},
	}
	work := func(name, about, event, action string, run func(*Manager, *kernel.Call) error, tags param,
		more ...param) command {
		return command{
			Name: name, About: about, Class: kernel.UserClasses + "tag." + kernel.Capitalize(name) + "Cmd",
			Kind: kernel.AsyncCommand, Instance: "None", Event: event, Eventful: kernel.EventAsync, Action: action,
			Params: append(append(slices.Clone(resources), tags), more...),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				if err := run(mgr, c); err != nil {
					return nil, err
				}
				return obj{"success": true}, nil
			},
			Describe: func(*Manager, *kernel.Call) string {
				return kernel.Capitalize(strings.TrimSuffix(action, " resource tags")) + " tags"
			},
		}
	}
	return []command{
		{
			Name: "listTags", About: "List resource tag(s)",
			Params: kernel.ListParams(param{Name: "resourcetype", Type: "string", About: "list by resource type"},
				param{Name: "resourceid", Type: "string", About: "list by resource id"},
				param{Name: "key", Type: "string", About: "list by key"},
				param{Name: "value", Type: "string", About: "list by value"},
				param{Name: "customer", Type: "string", About: "list by customer name"}),
			Run: listTags,
		},
		work("createTags", "Creates resource tag(s)", "CREATE_TAGS", "creating resource tags", createTags,
			param{Name: "tags", Type: "map", Required: true, About: "Map of tags (key/value pairs)"},
			param{Name: "customer", Type: "string", About: "identifies client specific tag"}),
		work("deleteTags", "Deleting resource tag(s)", "DELETE_TAGS", "deleting resource tags", deleteTags,
			param{Name: "tags", Type: "map", About: "Delete tags matching key/value pairs"}),
	}
}

// taggable finds the owner of an object of a kind, nil for none, and the kind as answers name it. Kinds are read in any
// case (ResourceTag.java@4.20.1.0).
func (mgr *Manager) taggable(kind, uuid string) (owner *tenancy.Account, name string, known bool) {
	switch strings.ToLower(kind) {
	case "uservm":
		if vm := mgr.compute.VMByUUID(uuid); vm != nil && vm.Removed.IsZero() {
			owner = vm.Account
		}
		return owner, "UserVm", true
	case "volume":
		if v := mgr.compute.VolumeByUUID(uuid); v != nil && v.Removed.IsZero() {
			owner = v.Account
		}
		return owner, "Volume", true
	case "vpc":
		if v := mgr.net.VPCByUUID(uuid); v != nil && v.Removed.IsZero() {
			owner = v.Account
		}
		return owner, "Vpc", true
	case "network":
		if n := mgr.net.NetworkByUUID(uuid); n != nil && n.Removed.IsZero() {
			owner = n.Account
		}
		return owner, "Network", true
	case "publicipaddress":
		if a := mgr.net.AddressByUUID(uuid); a != nil {
			owner = a.Account
		}
		return owner, "PublicIpAddress", true
	}
	return mgr.taggableRule(kind, uuid)
}

// taggableRule is taggable for rules and ACLs.
func (mgr *Manager) taggableRule(kind, uuid string) (owner *tenancy.Account, name string, known bool) {
	switch strings.ToLower(kind) {
	case "loadbalancer":
		if r := mgr.push.LBRuleByUUID(uuid); r != nil {
			owner = r.Account
		}
		return owner, "LoadBalancer", true
	case "portforwardingrule":
		if r := mgr.firewall.PFRuleByUUID(uuid); r != nil {
			owner = r.Account
		}
		return owner, "PortForwardingRule", true
	case "firewallrule":
		if r := mgr.firewall.FWRuleByUUID(uuid); r != nil {
			owner = r.Account
		}
		return owner, "FirewallRule", true
	case "networkacl":
		if i := mgr.net.ACLItemByUUID(uuid); i != nil {
			owner = i.List.VPC.Account
		}
		return owner, "NetworkACL", true
	case "networkacllist":
		if l := mgr.net.ACLByUUID(uuid); l != nil && l.VPC != nil {
			owner = l.VPC.Account
		}
		return owner, "NetworkACLList", true
	}
	return nil, "", false
}

// tagTargets are the objects of a call; a missing one is refused before anything is changed.
func tagTargets(mgr *Manager, c *kernel.Call) (owners []*tenancy.Account, kind string, err error) {
	for _, id := range c.List("resourceids") {
		owner, name, known := mgr.taggable(c.Str("resourcetype"), id)
		switch {
		case !known:
			return nil, "", api.Invalid("Invalid resource type %s", c.Str("resourcetype"))
		case owner == nil:
			return nil, "", api.Invalid("Unable to find resource by uuid %s and type %s", id, name)
		}
		if err := tenancy.MayUse(mgr.tenancy, c, owner, name); err != nil {
			return nil, "", err
		}
		owners, kind = append(owners, owner), name
	}
	return owners, kind, nil
}

func createTags(mgr *Manager, c *kernel.Call) error {
	owners, kind, err := tagTargets(mgr, c)
	if err != nil {
		return err
	}
	var made []*tenancy.Tag
	for i, id := range c.List("resourceids") {
		for _, e := range c.Entries("tags") {
			if e["key"] == "" || e["value"] == "" {
				return api.Invalid("Value for the key %s is either null or empty", e["key"])
			}
			if slices.ContainsFunc(mgr.tenancy.Tags, func(t *tenancy.Tag) bool {
				return t.Resource == id && t.Key == e["key"]
			}) {
				return api.Internal("tag %s already on %s with id %s", e["key"], kind, id)
			}
			made = append(made, &tenancy.Tag{Key: e["key"], Value: e["value"], Customer: c.Str("customer"), Kind: kind,
				Resource: id, Owner: owners[i]})
		}
	}
	mgr.tenancy.Tags = append(mgr.tenancy.Tags, made...)
	return nil
}

func deleteTags(mgr *Manager, c *kernel.Call) error {
	if _, _, err := tagTargets(mgr, c); err != nil {
		return err
	}
	wanted, ids := c.Entries("tags"), c.List("resourceids")
	matches := func(t *tenancy.Tag) bool {
		return slices.Contains(ids, t.Resource) && (len(wanted) == 0 ||
			slices.ContainsFunc(wanted, func(e map[string]string) bool {
				return e["key"] == t.Key && (e["value"] == "" || e["value"] == t.Value)
			}))
	}
	if !slices.ContainsFunc(mgr.tenancy.Tags, matches) {
		return api.Invalid("Unable to find any tags which conform to specified delete parameters.")
	}
	mgr.tenancy.Tags = slices.DeleteFunc(mgr.tenancy.Tags, matches)
	return nil
}

func listTags(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, t := range mgr.tenancy.Tags {
		// Tags go with their object; those of a load balancer rule are taken off with it, where they are
		// (release.TagsOutliveRule).
		if owner, _, _ := mgr.taggable(t.Kind, t.Resource); owner == nil && t.Kind != "LoadBalancer" {
			continue
		}
		if !tenancy.Visible(mgr.tenancy, c, t.Owner) ||
			c.Has("resourcetype") && !strings.EqualFold(c.Str("resourcetype"), t.Kind) ||
			c.Has("resourceid") && c.Str("resourceid") != t.Resource || c.Differs("key", t.Key) ||
			c.Differs("value", t.Value) || c.Differs("customer", t.Customer) ||
			!kernel.Matches(c.Str("keyword"), t.Key, t.Value) {
			continue
		}
		out = append(out, mgr.tenancy.TagAnswer(t))
	}
	slices.SortStableFunc(out, func(a, b obj) int {
		return cmp.Compare(fmt.Sprint(a["resourceid"]), fmt.Sprint(b["resourceid"]))
	})
	return c.Page("tag", out), nil
}
