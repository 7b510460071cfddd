package net

import (
	"crypto/sha1" //nolint:gosec // a name, not a secret
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// ACL is a list of rules about a tier's traffic. It lives in memory: nothing meters it, and no push of load balancing
// names it.
type ACL struct {
	ID                      int64
	UUID, Name, Description string
	VPC                     *VPC // nil for the two that every installation has
	Items                   []*ACLItem
}

// defaultACLs are the lists of every installation (NetworkACL.java@4.20.1.0). Their uuids hang on the zone's, so that
// they take nothing from the sequence of the others.
func defaultACLs(mgr *Manager) []*ACL {
	all := []*ACL{{ID: 1, Name: "default_deny", Description: "Default Network ACL Deny All"},
		{ID: 2, Name: "default_allow", Description: "Default Network ACL Allow All"}}
	for _, l := range all {
		sum := sha1.Sum([]byte(mgr.Site.UUID + l.Name)) //nolint:gosec // as above
		sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
		l.UUID = fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	return all
}

// acls are all lists, the default ones first.
func (mgr *Manager) acls() []*ACL { return append(defaultACLs(mgr), mgr.ACLs...) }

// ACLByUUID finds the list with a uuid; nil for none.
func (mgr *Manager) ACLByUUID(u string) *ACL {
	l, _ := kernel.Find(mgr.acls(), u, func(l *ACL) string { return l.UUID })
	return l
}

func aclCommands() []command {
	id := param{Name: "id", Type: "uuid:acl", Required: true, About: "the ID of the network ACL"}
	return []command{
		{
			Name: "createNetworkACLList", About: "Creates a network ACL for the given VPC",
			Class: kernel.UserClasses + "network.CreateNetworkACLListCmd", Kind: kernel.AsyncCreate,
			Instance: "NetworkAcl", Event: "NETWORK.ACL.CREATE", Eventful: kernel.EventCreateAsync,
			Action: "Creating Network ACL",
			Params: []param{{Name: "name", Type: "string", Required: true, About: "Name of the network ACL list"},
				{Name: "vpcid", Type: "uuid:vpc", Required: true, About: "ID of the VPC associated with this network " +
					"ACL list"},
				{Name: "description", Type: "string", About: "Description of the network ACL list"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the list to " +
					"the end user or not"}},
			Create: createACL,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"networkacllist": aclAnswer(mgr.ACLByUUID(c.Target.UUID))}, nil
			},
		},
		{
			Name: "listNetworkACLLists", About: "Lists all network ACLs",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:acl", About: "Lists network ACL with the " +
				"specified ID."},
				param{Name: "name", Type: "string", About: "list network ACLs by specified name"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "list network ACLs by VPC ID"},
				param{Name: "networkid", Type: "uuid:network", About: "list network ACLs by network ID"}),
			Run: listACLs,
		},
		{
			Name: "deleteNetworkACLList", About: "Deletes a network ACL",
			Class: kernel.UserClasses + "network.DeleteNetworkACLListCmd", Kind: kernel.AsyncCommand,
			Instance: "NetworkAcl", Event: "NETWORK.ACL.DELETE", Eventful: kernel.EventAsync,
			Action: "Deleting Network ACL List", Params: []param{id}, Check: checkACL, Run: deleteACL,
		},
		{
			Name: "replaceNetworkACLList", About: "Replaces ACL associated with a network or private gateway",
			Class: kernel.UserClasses + "network.ReplaceNetworkACLListCmd", Kind: kernel.AsyncCommand,
			Instance: "NetworkAcl", Event: "NETWORK.ACL.REPLACE", Eventful: kernel.EventAsync,
			Action: "Replacing network ACL",
			Params: []param{{Name: "aclid", Type: "uuid:acl", Required: true, About: "the ID of the network ACL"},
				{Name: "networkid", Type: "uuid:network", Required: true, About: "the ID of the network"}},
			Run: replaceACL,
		},
	}
}

func createACL(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	v, err := vpcParam(mgr, c, "vpcid")
	if err != nil {
		return kernel.Created{}, err
	}
	if !v.Removed.IsZero() {
		return kernel.Created{}, api.Invalid("Unable to find VPC")
	}
	if err := tenancy.MayUse(mgr.tenancy, c, v.Account, "Vpc"); err != nil {
		return kernel.Created{}, err
	}
	l := &ACL{ID: 2 + mgr.NextID("cloud.network_acl"), UUID: mgr.UUID(), Name: c.Str("name"),
		Description: c.Str("description"), VPC: v}
	mgr.ACLs = append(mgr.ACLs, l)
	c.Concerns(kernel.Named("NetworkAcl", l.ID, l.UUID, v.Account))
	return c.Target, nil
}

func aclAnswer(l *ACL) obj {
	out := obj{"id": l.UUID, "name": l.Name, "description": l.Description, "fordisplay": true}
	if l.VPC != nil {
		out["vpcid"], out["vpcname"] = l.VPC.UUID, l.VPC.Name
	}
	return out
}

func listACLs(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, l := range mgr.acls() {
		network := mgr.NetworkByUUID(c.Str("networkid"))
		if l.VPC != nil && !tenancy.Visible(mgr.tenancy, c, l.VPC.Account) ||
			c.Has("id") && c.Str("id") != l.UUID || c.Differs("name", l.Name) ||
			c.Has("vpcid") && l.VPC != nil && l.VPC.UUID != c.Str("vpcid") ||
			network != nil && network.ACL != l.UUID || !kernel.Matches(c.Str("keyword"), l.Name, l.Description) {
			continue
		}
		out = append(out, aclAnswer(l))
	}
	return c.Page("networkacllist", out), nil
}

// ownACL is the list that a parameter names; those of the installation cannot be changed.
func ownACL(mgr *Manager, c *kernel.Call, name string) (*ACL, error) {
	l, err := kernel.Lookup(c, name, mgr.ACLByUUID)
	switch {
	case err != nil:
		return nil, err
	case l.VPC == nil:
		return nil, api.Invalid("Default Network ACL cannot be removed or changed")
	}
	return l, tenancy.MayUse(mgr.tenancy, c, l.VPC.Account, "NetworkACL")
}

func checkACL(mgr *Manager, c *kernel.Call) error {
	l, err := ownACL(mgr, c, "id")
	if err != nil {
		return err
	}
	c.Concerns(kernel.Named("NetworkAcl", l.ID, l.UUID, l.VPC.Account))
	return nil
}

func deleteACL(mgr *Manager, c *kernel.Call) (obj, error) {
	l, err := ownACL(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(mgr.Networks.All(), func(n *Network) bool { return n.Removed.IsZero() && n.ACL == l.UUID }) {
		return nil, api.Internal("ACL is still associated with one or more tiers/private gateways")
	}
	dropACL(mgr, l)
	return obj{"success": true}, nil
}

// dropACL removes a list with its items and their tags.
func dropACL(mgr *Manager, l *ACL) {
	for _, i := range l.Items {
		mgr.tenancy.DropTags(i.UUID)
	}
	mgr.tenancy.DropTags(l.UUID)
	mgr.ACLs = slices.DeleteFunc(mgr.ACLs, func(o *ACL) bool { return o == l })
}

func replaceACL(mgr *Manager, c *kernel.Call) (obj, error) {
	n, err := NetworkParam(mgr, c, "networkid")
	if err != nil {
		return nil, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, n.Account, "Network"); err != nil {
		return nil, err
	}
	l, err := aclFor(mgr, c, n.VPC)
	if err != nil {
		return nil, err
	}
	n.ACL = l.UUID
	return obj{"success": true}, nil
}

// aclFor is the list of the parameter aclid for a tier of a VPC.
func aclFor(mgr *Manager, c *kernel.Call, v *VPC) (*ACL, error) {
	l := mgr.ACLByUUID(c.Str("aclid"))
	switch {
	case l == nil:
		return nil, c.BadEntity("aclid", c.Str("aclid"))
	case v == nil:
		return nil, api.Invalid("Network ACL can be applied only to VPC networks")
	case l.VPC != nil && l.VPC != v:
		return nil, api.Invalid("ACL: %s does not belong to the VPC", l.UUID)
	}
	return l, nil
}
