package net

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// ACLItem is one rule of a list.
type ACLItem struct {
	ID                 int64
	UUID               string
	List               *ACL
	Number             int
	Protocol           string // tcp, udp, icmp, all, or a number
	Action, Traffic    string // Allow or Deny; Ingress or Egress
	CIDRs              []string
	Start, End         string // ports; empty for all
	ICMPType, ICMPCode string
	Reason             string
	Revoked            bool // by a call that failed: it goes with the next that does not
}

// ACLItemByUUID finds the rule of a list with a uuid; nil for none.
func (mgr *Manager) ACLItemByUUID(u string) *ACLItem {
	for _, l := range mgr.ACLs {
		if i, ok := kernel.Find(l.Items, u, func(i *ACLItem) string { return i.UUID }); ok {
			return i
		}
	}
	return nil
}

func aclItemParams() []param {
	return []param{
		{Name: "protocol", Type: "string", About: "the protocol for the ACL rule. Valid values are TCP/UDP/ICMP/ALL " +
			"or " +
			"valid protocol number"},
		{Name: "number", Type: "integer", About: "The number of the network ACL item, its order"},
		{Name: "action", Type: "string", About: "scl entry action, allow or deny"},
		{Name: "traffictype", Type: "string", About: "the traffic type for the ACL, can be ingress or egress, " +
			"defaulted to ingress if not specified"},
		{Name: "cidrlist", Type: "list", About: "the CIDR list to allow traffic from/to. Multiple entries must be " +
			"separated by a single comma character (,)."},
		{Name: "startport", Type: "integer", About: "the starting port of ACL"},
		{Name: "endport", Type: "integer", About: "the ending port of ACL"},
		{Name: "icmptype", Type: "integer", About: "type of the ICMP message being sent"},
		{Name: "icmpcode", Type: "integer", About: "error code for this ICMP message"},
		{Name: "reason", Type: "string", About: "A description indicating why the ACL rule is required."},
	}
}

func aclItemCommands() []command {
	id := param{Name: "id", Type: "uuid:aclitem", Required: true, About: "the ID of the network ACL item"}
	create := aclItemParams()
	create[0].Required = true
	return []command{
		{
			Name: "createNetworkACL", About: "Creates a ACL rule in the given network (the network has to belong to " +
				"VPC)",
			Class: kernel.UserClasses + "network.CreateNetworkACLCmd", Kind: kernel.AsyncCreate, Instance: "None",
			Event: "NETWORK.ACL.ITEM.CREATE", Eventful: kernel.EventCreateAsync, Action: "Creating Network ACL Item",
			Params: append(create,
				param{Name: "aclid", Type: "uuid:acl", About: "The network of the VM the ACL will be created for"},
				param{Name: "networkid", Type: "uuid:network", About: "The network of the VM the ACL will be created " +
					"for"}),
			Create: createACLItem, Run: aclItemResult,
		},
		{
			Name: "listNetworkACLs", About: "Lists all network ACL items",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:aclitem", About: "Lists network ACL Item with " +
				"the " +
				"specified ID"},
				param{Name: "aclid", Type: "uuid:acl", About: "list network ACL items by ACL ID"},
				param{Name: "networkid", Type: "uuid:network", About: "list network ACL items by network ID"},
				param{Name: "protocol", Type: "string", About: "list network ACL items by protocol"},
				param{Name: "action", Type: "string", About: "list network ACL items by action"},
				param{Name: "traffictype", Type: "string", About: "list network ACL items by traffic type - ingress " +
					"or " +
					"egress"}),
			Run: listACLItems,
		},
		{
			Name: "updateNetworkACLItem", About: "Updates ACL item with specified ID",
			Class: kernel.UserClasses + "network.UpdateNetworkACLItemCmd", Kind: kernel.AsyncCommand, Instance: "None",
			Event: "NETWORK.ACL.ITEM.UPDATE", Eventful: kernel.EventAsync, Action: "Updating Network ACL Item",
			Params: append([]param{id}, aclItemParams()...), Check: checkACLItem, Run: updateACLItem,
		},
		{
			Name: "deleteNetworkACL", About: "Deletes a network ACL",
			Class: kernel.UserClasses + "network.DeleteNetworkACLCmd", Kind: kernel.AsyncCommand, Instance: "None",
			Event: "NETWORK.ACL.ITEM.DELETE", Eventful: kernel.EventAsync, Action: "Deleting Network ACL Item",
			Params: []param{id}, Check: checkACLItem,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				i, err := kernel.Lookup(c, "id", mgr.ACLItemByUUID)
				if err != nil {
					return nil, err
				}
				i.List.Items = slices.DeleteFunc(i.List.Items, func(o *ACLItem) bool { return o == i })
				mgr.tenancy.DropTags(i.UUID)
				return obj{"success": true}, nil
			},
		},
	}
}

func checkACLItem(mgr *Manager, c *kernel.Call) error {
	i, err := kernel.Lookup(c, "id", mgr.ACLItemByUUID)
	if err != nil {
		return err
	}
	c.Concerns(kernel.Named("NetworkAclItem", i.ID, i.UUID, i.List.VPC.Account))
	return tenancy.MayUse(mgr.tenancy, c, i.List.VPC.Account, "NetworkACL")
}

// itemList is the list that a new rule goes into: the one named, or that of the network.
func itemList(mgr *Manager, c *kernel.Call) (*ACL, error) {
	if c.Has("aclid") {
		return ownACL(mgr, c, "aclid")
	}
	n := mgr.NetworkByUUID(c.Str("networkid"))
	if n == nil {
		return nil, api.Invalid("Cannot create Network ACL Item. ACL Id or network Id is required")
	}
	if l := mgr.ACLByUUID(n.ACL); l != nil && l.VPC != nil {
		return l, tenancy.MayUse(mgr.tenancy, c, l.VPC.Account, "NetworkACL")
	}
	if n.VPC == nil {
		return nil, api.Invalid("Network: %s does not belong to VPC", n.UUID)
	}
	// a tier with a list of the installation gets one of its own (NetworkACLServiceImpl.java@4.20.1.0)
	if err := tenancy.MayUse(mgr.tenancy, c, n.VPC.Account, "Network"); err != nil {
		return nil, err
	}
	l := &ACL{ID: 2 + mgr.NextID("cloud.network_acl"), UUID: mgr.UUID(), Name: "acl_" + n.Name, VPC: n.VPC,
		Description: "ACL for network " + n.Name}
	mgr.ACLs, n.ACL = append(mgr.ACLs, l), l.UUID
	return l, nil
}

func createACLItem(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	l, err := itemList(mgr, c)
	if err != nil {
		return kernel.Created{}, err
	}
	i := &ACLItem{List: l, Action: "Allow", Traffic: "Ingress", CIDRs: []string{"0.0.0.0/0"}}
	for _, o := range l.Items {
		i.Number = max(i.Number, o.Number)
	}
	i.Number++
	if err := i.read(c); err != nil {
		return kernel.Created{}, err
	}
	i.ID, i.UUID = mgr.NextID("cloud.network_acl_item"), mgr.UUID()
	l.Items = append(l.Items, i)
	c.Concerns(kernel.Named("NetworkAclItem", i.ID, i.UUID, l.VPC.Account))
	return c.Target, nil
}

// read takes over what a call gives, or refuses all of it.
func (i *ACLItem) read(c *kernel.Call) error {
	next := *i
	next.Number = c.Integer("number", i.Number)
	if c.Has("protocol") {
		next.Protocol = strings.ToLower(c.Str("protocol"))
	}
	for name, at := range map[string]*string{"startport": &next.Start, "endport": &next.End, "icmptype": &next.ICMPType,
		"icmpcode": &next.ICMPCode, "reason": &next.Reason} {
		if c.Has(name) {
			*at = c.Str(name)
		}
	}
	if next.End == "" {
		next.End = next.Start
	}
	if c.Has("action") {
		next.Action = kernel.Capitalize(strings.ToLower(c.Str("action")))
	}
	if c.Has("traffictype") {
		next.Traffic = kernel.Capitalize(strings.ToLower(c.Str("traffictype")))
	}
	if cidrs := c.List("cidrlist"); len(cidrs) > 0 {
		next.CIDRs = cidrs
	}
	if err := next.check(); err != nil {
		return err
	}
	*i = next
	return nil
}

func (i *ACLItem) check() error {
	number, err := strconv.Atoi(i.Protocol)
	start, _ := strconv.Atoi(i.Start)
	end, _ := strconv.Atoi(i.End)
	switch {
	case !slices.Contains([]string{"tcp", "udp", "icmp", "all"}, i.Protocol) && (err != nil || number < 0 ||
		number > 255):
		return api.Invalid("Invalid protocol: %s", i.Protocol)
	case i.Action != "Allow" && i.Action != "Deny":
		return api.Invalid("Invalid action. Allowed actions are Allow and Deny")
	case i.Traffic != "Ingress" && i.Traffic != "Egress":
		return api.Invalid("Invalid value for traffictype: %s", i.Traffic)
	case i.Number < 1:
		return api.Invalid("Rule number cannot be less than 1")
	case slices.ContainsFunc(i.List.Items, func(o *ACLItem) bool { return o.UUID != i.UUID && o.Number == i.Number }):
		return api.Invalid("ACL item with number %d already exists in ACL: %s", i.Number, i.List.UUID)
	case start < 0 || end > 65535 || start > end:
		return api.Invalid("Start port can't be bigger than end port, and ports are between 0 and 65535")
	case i.Start != "" && i.Protocol != "tcp" && i.Protocol != "udp":
		return api.Invalid("Can't specify start/end port when protocol is %s", strings.ToUpper(i.Protocol))
	}
	for _, one := range i.CIDRs {
		if _, err := netip.ParsePrefix(one); err != nil {
			return api.BadParameter("Source CIDRs formatting error %s", one)
		}
	}
	return nil
}

func aclItemResult(mgr *Manager, c *kernel.Call) (obj, error) {
	i := mgr.ACLItemByUUID(c.Target.UUID)
	if i == nil {
		return nil, api.Internal("Failed to create network ACL Item")
	}
	if aclBlocked(mgr, i.List) {
		i.Revoked = true
		return nil, api.Internal("Failed to create network ACL Item")
	}
	return obj{"networkacl": aclItemAnswer(mgr, i)}, nil
}

func updateACLItem(mgr *Manager, c *kernel.Call) (obj, error) {
	i, err := kernel.Lookup(c, "id", mgr.ACLItemByUUID)
	if err != nil {
		return nil, err
	}
	if err := i.read(c); err != nil {
		return nil, err
	}
	if aclBlocked(mgr, i.List) {
		return nil, api.Internal("Failed to apply Network ACL rule: %s", i.UUID)
	}
	return obj{"networkacl": aclItemAnswer(mgr, i)}, nil
}

// aclBlocked says whether a router of a network with the list holds what it refused (Blocked). A list that comes
// through loses its revoked items (NetworkACLManagerImpl.applyNetworkACL).
func aclBlocked(mgr *Manager, l *ACL) bool {
	if slices.ContainsFunc(mgr.Networks.All(), func(n *Network) bool {
		return n.ACL == l.UUID && n.Removed.IsZero() && mgr.Blocked(n)
	}) {
		return true
	}
	l.Items = slices.DeleteFunc(l.Items, func(i *ACLItem) bool { return i.Revoked })
	return false
}

func aclItemAnswer(mgr *Manager, i *ACLItem) obj {
	out := obj{"id": i.UUID, "protocol": i.Protocol, "action": i.Action, "traffictype": i.Traffic, "state": "Active",
		"cidrlist": strings.Join(i.CIDRs, ","), "number": i.Number, "aclid": i.List.UUID, "aclname": i.List.Name,
		"tags": mgr.tenancy.Tagged(i.UUID), "fordisplay": true, "reason": i.Reason}
	if i.Revoked {
		out["state"] = "Deleting"
	}
	if i.Start != "" {
		out["startport"], out["endport"] = i.Start, i.End
	}
	for name, text := range map[string]string{"icmptype": i.ICMPType, "icmpcode": i.ICMPCode} {
		if n, err := strconv.Atoi(text); err == nil {
			out[name] = n
		}
	}
	return out
}

func listACLItems(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	network := mgr.NetworkByUUID(c.Str("networkid"))
	for _, l := range mgr.ACLs {
		if !tenancy.Visible(mgr.tenancy, c, l.VPC.Account) && !c.Has("aclid") ||
			c.Has("aclid") && c.Str("aclid") != l.UUID || network != nil && network.ACL != l.UUID {
			continue
		}
		items := slices.SortedFunc(slices.Values(l.Items), func(a, b *ACLItem) int {
			return cmp.Compare(a.Number,
				b.Number)
		})
		for _, i := range items {
			if c.Has("id") && c.Str("id") != i.UUID || c.Differs("protocol", i.Protocol) ||
				c.Differs("action", i.Action) || c.Differs("traffictype", i.Traffic) ||
				!kernel.Matches(c.Str("keyword"), i.Protocol) {
				continue
			}
			out = append(out, aclItemAnswer(mgr, i))
		}
	}
	return c.Page("networkacl", out), nil
}
