package net

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func networkCommands() []command {
	return []command{
		{
			Name: "createNetwork", About: "Creates a network",
			Class: kernel.AdminClasses + "network.CreateNetworkCmdByAdmin",
			Event: "NETWORK.CREATE", Eventful: kernel.EventSync, Action: "creating network",
			Params: []param{
				{Name: "name", Type: "string", Required: true, About: "the name of the network"},
				{Name: "displaytext", Type: "string", About: "the display text of the network"},
				{Name: "networkofferingid", Type: "uuid:networkoffering", Required: true, About: "the network " +
					"offering ID"},
				{Name: "zoneid", Type: "uuid:zone", Required: true, About: "the zone ID for the network"},
				{Name: "gateway", Type: "string", About: "the gateway of the network. Required for shared " +
					"networks and isolated networks when it belongs to VPC"},
				{Name: "netmask", Type: "string", About: "the netmask of the network. Required for shared " +
					"networks and isolated networks when it belongs to VPC"},
				{Name: "vpcid", Type: "uuid:vpc", About: "the VPC network belongs to"},
				{Name: "networkdomain", Type: "string", About: "network domain"},
				{Name: "aclid", Type: "uuid:acl", About: "Network ACL ID associated for the network"},
				{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
				{Name: "account", Type: "string", About: "account that will own the network"},
				{Name: "domainid", Type: "uuid:domain", About: "domain ID of the account owning a network"},
			},
			Run:    createNetwork,
			Detail: func(mgr *Manager, c *kernel.Call) string { return networkDetail(mgr, c) },
		},
		{
			Name: "listNetworks", About: "Lists all available networks.",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:network", About: "list networks by ID"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "List networks by VPC"},
				param{Name: "forvpc", Type: "boolean", About: "the network belongs to VPC"},
				param{Name: "zoneid", Type: "uuid:zone", About: "the zone ID of the network"},
				param{Name: "type", Type: "string", About: "the type of the network"},
				param{Name: "networkofferingid", Type: "uuid:networkoffering", About: "list networks by network " +
					"offering ID"},
				param{Name: "supportedservices", Type: "list", About: "list networks supporting certain services"}),
			Run: listNetworks,
		},
		{
			Name: "updateNetwork", About: "Updates a network",
			Class: kernel.AdminClasses + "network.UpdateNetworkCmdByAdmin", Kind: kernel.AsyncCommand,
			Instance: "Network",
			Event:    "NETWORK.UPDATE", Eventful: kernel.EventAsync, Action: "updating network",
			Params: []param{
				{Name: "id", Type: "uuid:network", Required: true, About: "the ID of the network"},
				{Name: "name", Type: "string", About: "the new name for the network"},
				{Name: "displaytext", Type: "string", About: "the new display text for the network"},
				{Name: "networkofferingid", Type: "uuid:networkoffering", About: "network offering ID"},
				{Name: "forced", Type: "boolean", Root: true, About: "Setting this to true will cause a forced " +
					"network update,"},
				{Name: "changecidr", Type: "boolean", About: "Force update even if CIDR type is different"},
				{Name: "updateinsequence", Type: "boolean", About: "if true, we will update the routers one " +
					"after the other"},
			},
			Check: checkNetwork, Run: updateNetwork, Sync: networkSync,
			Describe: networkUpdateText,
		},
		{
			Name: "deleteNetwork", About: "Deletes a network", Class: kernel.UserClasses + "network.DeleteNetworkCmd",
			Kind: kernel.AsyncCommand, Instance: "Network",
			Event: "NETWORK.DELETE", Eventful: kernel.EventAsync, Action: "deleting network",
			Params: []param{{Name: "id", Type: "uuid:network", Required: true, About: "the ID of the network"},
				{Name: "forced", Type: "boolean", About: "Force delete a network."}},
			Check: checkNetwork, Run: deleteNetwork, Sync: networkSync,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Deleting network: %d",
					c.EventResource)
			}, Detail: networkDetail,
		},
		{
			Name: "restartNetwork", About: "Restarts the network; includes 1) restarting network elements - " +
				"virtual routers, DHCP servers 2) reapplying all public IPs 3) reapplying " +
				"loadBalancing/portForwarding rules",
			Class: kernel.UserClasses + "network.RestartNetworkCmd", Kind: kernel.AsyncCommand, Instance: "Network",
			Event: "NETWORK.RESTART", Eventful: kernel.EventAsync, Action: "restarting network",
			Params: []param{{Name: "id", Type: "uuid:network", Required: true, About: "The ID of the network to " +
				"restart."},
				{Name: "cleanup", Type: "boolean", About: "If cleanup old network elements"},
				{Name: "makeredundant", Type: "boolean", About: "Turn the network into a network with redundant " +
					"routers."},
				{Name: "livepatch", Type: "boolean", About: "Live patches the router software."}},
			Check: checkNetwork, Run: restartNetwork, Sync: networkSync,
			Describe: func(mgr *Manager, c *kernel.Call) string { return "Restarting network: " + c.Str("id") },
			Detail:   networkDetail,
		},
	}
}

// guestCIDR is what an isolated network without addresses of its own gets: the zone's guest CIDR.
var guestCIDR = netip.MustParsePrefix("10.1.1.0/24")

func createNetwork(mgr *Manager, c *kernel.Call) (obj, error) {
	a, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return nil, err
	}
	n := &Network{UUID: mgr.UUID(), Name: c.Str("name"), Text: c.Str("displaytext"), State: "Allocated",
		Created:  mgr.Now(),
		Offering: OfferingByUUID(mgr.NetworkOfferings, c.Str("networkofferingid"))}
	if n.Text == "" {
		n.Text = n.Name
	}
	if c.Has("vpcid") {
		n.VPC = mgr.VPCByUUID(c.Str("vpcid"))
		if !n.VPC.Removed.IsZero() {
			return nil, api.Invalid("Unable to find vpc by id")
		}
		if err := tenancy.MayUse(mgr.tenancy, c, n.VPC.Account, "Vpc"); err != nil {
			return nil, err
		}
		a = n.VPC.Account
	}
	n.Account = a
	if c.Has("aclid") {
		l, err := aclFor(mgr, c, n.VPC)
		if err != nil {
			return nil, err
		}
		n.ACL = l.UUID
	}
	if err := networkCIDR(mgr, c, n); err != nil {
		return nil, err
	}
	if err := checkTier(mgr, n); err != nil {
		return nil, err
	}
	if err := mgr.tenancy.CheckLimit(a, tenancy.LimitNetwork); err != nil {
		return nil, err
	}
	if err := mgr.insertNetwork(c.Ctx, n); err != nil {
		return nil, err
	}
	c.Owner, c.EventResource, c.EventResourceType = a, n.ID, "Network"
	c.Target = kernel.Created{UUID: n.UUID, ID: n.ID}
	return obj{"network": networkAnswer(mgr, n)}, nil
}

// networkCIDR reads gateway and netmask.
func networkCIDR(mgr *Manager, c *kernel.Call, n *Network) error {
	if c.Str("gateway") == "" && c.Str("netmask") == "" {
		if n.VPC != nil {
			return api.BadParameter("gateway and netmask are required for a tier of a VPC")
		}
		n.CIDR, n.Gateway = guestCIDR, guestCIDR.Addr().Next()
		return nil
	}
	gateway, err := netip.ParseAddr(c.Str("gateway"))
	if err != nil || !gateway.Is4() {
		return api.Invalid("Invalid gateway %s", c.Str("gateway"))
	}
	mask := net.ParseIP(c.Str("netmask")).To4()
	ones, bits := net.IPMask(mask).Size()
	if mask == nil || bits == 0 || ones > 30 {
		return api.Invalid("Invalid netmask %s", c.Str("netmask"))
	}
	n.Gateway, n.CIDR = gateway, netip.PrefixFrom(gateway, ones).Masked()
	return nil
}

// checkTier refuses a tier that does not fit its VPC.
func checkTier(mgr *Manager, n *Network) error {
	if n.Offering.ForVPC != (n.VPC != nil) {
		if n.VPC != nil {
			return api.Invalid("Network offering %s can't be used for VPC networks", n.Offering.Name)
		}
		return api.Invalid("Network offering can be used for VPC networks only")
	}
	if n.VPC == nil {
		return nil
	}
	if !n.VPC.CIDR.Contains(n.CIDR.Addr()) || n.CIDR.Bits() < n.VPC.CIDR.Bits() {
		return api.Invalid("Network cidr %s is not within vpc cidr %s", n.CIDR, n.VPC.CIDR)
	}
	publicLB := n.Offering.Has("Lb") && n.Offering.LBProvider() == n.Offering.Provider()
	for _, o := range mgr.Networks.All() {
		if o.VPC != n.VPC || !o.Removed.IsZero() {
			continue
		}
		if o.CIDR.Overlaps(n.CIDR) {
			return api.Invalid("Network cidr %s crosses other network cidr %s belonging to the same vpc", n.CIDR,
				o.CIDR)
		}
		if o.Name == n.Name {
			return api.Invalid("Network with name %s already exists in VPC", n.Name)
		}
		if publicLB && o.Offering != n.Offering && o.Offering.Has("Lb") &&
			o.Offering.LBProvider() == o.Offering.Provider() {
			return api.Invalid("LB service is already supported by network %s in VPC %s", o.Name, n.VPC.Name)
		}
	}
	return nil
}

func (mgr *Manager) insertNetwork(ctx context.Context, n *Network) error {
	row := obj{
		"name": n.Name, "uuid": n.UUID, "display_text": n.Text, "traffic_type": "Guest",
		"broadcast_domain_type": "Vlan", "gateway": n.Gateway.String(),
		"cidr": n.CIDR.String(), "mode": "Dhcp", "network_offering_id": n.Offering.ID, "physical_network_id": 1,
		"data_center_id": kernel.ZoneID,
		"guru_name":      "ExternalGuestNetworkGuru", "state": n.State, "related": 0, "domain_id": n.Account.Domain.ID,
		"account_id": n.Account.ID,
		"acl_type":   "Account", "network_domain": mgr.NetworkDomain(n), "guest_type": "Isolated", "created": n.Created,
		"public_mtu": 1500, "private_mtu": 1500,
	}
	if n.VPC != nil {
		row["vpc_id"] = n.VPC.ID
	}
	id, err := mgr.Insert(ctx, "cloud.networks", row)
	if err != nil {
		return err
	}
	n.ID = id
	mgr.Networks.Add(n)
	if err := mgr.Update(ctx, "cloud.networks", id, obj{"related": id}); err != nil {
		return err
	}
	if mgr.On(release.NetworkUsageModelOld) {
		return nil
	}
	return networkUsage(mgr, ctx, "NETWORK.CREATE", n)
}

// networkUsage writes a NETWORK.* usage event; updates carry the state. From #10755 on create means to, and hands it
// over where the row takes another field (UsageEventUtils.publishNetworkCreation@4.20.1.0).
func networkUsage(mgr *Manager, ctx context.Context, typ string, n *Network) error {
	fields := obj{"resource_name": n.Name, "offering_id": n.Offering.ID}
	if typ == "NETWORK.UPDATE" {
		fields["resource_type"] = n.State
	}
	return mgr.UsageEvent(ctx, typ, n.Account, kernel.ZoneID, n.ID, fields)
}

func listNetworks(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, n := range mgr.Networks.All() {
		if !n.Removed.IsZero() || !tenancy.Visible(mgr.tenancy, c, n.Account) &&
			!(mgr.On(release.ListNetworksAnyAccount) && tenancy.Caller(c).Account.Type == 1) || c.Has("id") &&
			c.Str("id") != n.UUID ||
			c.Has("vpcid") && (n.VPC == nil || n.VPC.UUID != c.Str("vpcid")) || c.Has("forvpc") &&
			c.Boolean("forvpc", false) != (n.VPC != nil) ||
			c.Has("networkofferingid") && n.Offering.UUID != c.Str("networkofferingid") || c.Has("type") &&
			!strings.EqualFold(c.Str("type"), "Isolated") ||
			!kernel.Matches(c.Str("keyword"), n.Name) || slices.ContainsFunc(c.List("supportedservices"),
			func(s string) bool { return !n.Offering.Has(s) }) {
			continue
		}
		out = append(out, networkAnswer(mgr, n))
	}
	return c.Page("network", out), nil
}

func checkNetwork(mgr *Manager, c *kernel.Call) error {
	n, err := NetworkParam(mgr, c, "id")
	if err != nil {
		return err
	}
	if !n.Removed.IsZero() {
		word := "Networkd" // update and restart have it misspelt
		if c.Cmd.Name == "deleteNetwork" {
			word = "Network"
		}
		return api.Invalid("%s ID=%d doesn't exist", word, n.ID)
	}
	c.Owner, c.EventResource, c.EventResourceType = n.Account, n.ID, "Network"
	c.Target = kernel.Created{UUID: n.UUID, ID: n.ID}
	return tenancy.MayUse(mgr.tenancy, c, n.Account, "Network")
}

func updateNetwork(mgr *Manager, c *kernel.Call) (obj, error) {
	n, err := NetworkParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if o := OfferingByUUID(mgr.NetworkOfferings, c.Str("networkofferingid")); o != nil && o != n.Offering {
		if err := changeOffering(mgr, c, n, o); err != nil {
			return nil, err
		}
	}
	if c.Has("name") {
		n.Name = c.Str("name")
	}
	if c.Has("displaytext") {
		n.Text = c.Str("displaytext")
	}
	if err := mgr.Update(c.Ctx, "cloud.networks", n.ID, obj{"name": n.Name, "display_text": n.Text,
		"network_offering_id": n.Offering.ID}); err != nil {
		return nil, err
	}
	if err := networkUsage(mgr, c.Ctx, "NETWORK.UPDATE", n); err != nil {
		return nil, err
	}
	return obj{"network": networkAnswer(mgr, n)}, nil
}

// changeOffering moves a network to another offering. Services that go take their rules along, when forced.
func changeOffering(mgr *Manager, c *kernel.Call, n *Network, o *Offering) error {
	if o.ForVPC != n.Offering.ForVPC {
		return api.Invalid("Can't upgrade from network offering %s to %s; the offerings are not compatible",
			n.Offering.UUID, o.UUID)
	}
	var lost []string
	for _, s := range n.Offering.Services {
		if !o.Has(s) && serviceInUse(mgr, c, n, s) {
			lost = append(lost, s)
		}
	}
	if len(lost) > 0 && !c.Boolean("forced", false) {
		return &api.Error{Code: api.CodeInternal, CSCode: api.CSCloudRuntime, Text: fmt.Sprintf("The new "+
			"offering:%s will remove the following services [%s]along with all the related configuration "+
			"currently in use. will not proceed with the network update.set forced parameter to true for "+
			"forcing an update.",
			o.Name, strings.Join(lost, ", "))}
	}
	for _, service := range []string{"Lb", "PortForwarding"} {
		if slices.Contains(lost, service) {
			if err := mgr.Hooks.DropService(c.Ctx, n, service); err != nil {
				return err
			}
		}
	}
	n.Offering = o
	return nil
}

func serviceInUse(mgr *Manager, c *kernel.Call, n *Network, service string) bool {
	switch service {
	case "Lb", "PortForwarding":
		return mgr.Hooks.ServiceInUse(n, service)
	case "StaticNat":
		return slices.ContainsFunc(mgr.Addresses.All(), func(a *Address) bool { return a.StaticNAT && a.Network == n })
	}
	return false
}

func deleteNetwork(mgr *Manager, c *kernel.Call) (obj, error) {
	n, err := NetworkParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if !n.Removed.IsZero() {
		return nil, api.Invalid("unable to find network with id=%d", n.ID)
	}
	err = mgr.DestroyNetwork(c.Ctx, n)
	c.EventFine = errors.Is(err, errNetworkInUse)
	return obj{"success": true}, err
}

func restartNetwork(mgr *Manager, c *kernel.Call) (obj, error) {
	n, err := NetworkParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if n.State != "Implemented" && n.State != "Setup" {
		return nil, api.Invalid("Network is not in the right state to be restarted. Correct states are: " +
			"Implemented, Setup")
	}
	mine := func(r *Router) bool { return r.Network == n || n.VPC != nil && r.VPC == n.VPC }
	return obj{"success": true}, mgr.restartRouters(c.Ctx, mine, c.Boolean("cleanup", false) && n.VPC == nil,
		func() error {
			if n.VPC == nil {
				return mgr.ensureRouters(c.Ctx, nil, n)
			}
			if err := mgr.startVPC(c.Ctx, n.VPC); err != nil || !mgr.Hooks.ServiceInUse(n, "Lb") {
				return err
			}
			return mgr.Hooks.Push(c.Ctx, n)
		})
}
