package zone

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
)

func (z *Zone) networkCommands() []command {
	return []command{
		{
			name: "createNetwork", about: "Creates a network", class: adminClasses + "network.CreateNetworkCmdByAdmin",
			event: "NETWORK.CREATE", eventful: eventSync, action: "creating network",
			params: []param{
				{"name", "string", true, "the name of the network"}, {"displaytext", "string", false, "the display text of the network"},
				{"networkofferingid", "uuid:networkoffering", true, "the network offering ID"}, {"zoneid", "uuid:zone", true, "the zone ID for the network"},
				{"gateway", "string", false, "the gateway of the network. Required for shared networks and isolated networks when it belongs to VPC"},
				{"netmask", "string", false, "the netmask of the network. Required for shared networks and isolated networks when it belongs to VPC"},
				{"vpcid", "uuid:vpc", false, "the VPC network belongs to"}, {"networkdomain", "string", false, "network domain"},
				{"aclid", "string", false, "Network ACL ID associated for the network"},
				{"account", "string", false, "account that will own the network"}, {"domainid", "uuid:domain", false, "domain ID of the account owning a network"},
			},
			run:    createNetwork,
			detail: func(z *Zone, c *call) string { return networkDetail(z, c) },
		},
		{
			name: "listNetworks", about: "Lists all available networks.",
			params: listParams(param{"id", "uuid:network", false, "list networks by ID"},
				param{"vpcid", "uuid:vpc", false, "List networks by VPC"}, param{"forvpc", "boolean", false, "the network belongs to VPC"},
				param{"zoneid", "uuid:zone", false, "the zone ID of the network"}, param{"type", "string", false, "the type of the network"},
				param{"networkofferingid", "uuid:networkoffering", false, "list networks by network offering ID"},
				param{"supportedservices", "list", false, "list networks supporting certain services"}),
			run: listNetworks,
		},
		{
			name: "updateNetwork", about: "Updates a network", class: adminClasses + "network.UpdateNetworkCmdByAdmin", kind: asyncCommand, instance: "Network",
			event: "NETWORK.UPDATE", eventful: eventAsync, action: "updating network",
			params: []param{
				{"id", "uuid:network", true, "the ID of the network"}, {"name", "string", false, "the new name for the network"},
				{"displaytext", "string", false, "the new display text for the network"}, {"networkofferingid", "uuid:networkoffering", false, "network offering ID"},
				{"forced", "boolean", false, "Setting this to true will cause a forced network update"}, {"changecidr", "boolean", false, "Force update even if CIDR type is different"},
				{"updateinsequence", "boolean", false, "if true, we will update the routers one after the other"},
			},
			check: checkNetwork, run: updateNetwork, sync: networkSync,
			describe: networkUpdateText,
		},
		{
			name: "deleteNetwork", about: "Deletes a network", class: userClasses + "network.DeleteNetworkCmd", kind: asyncCommand, instance: "Network",
			event: "NETWORK.DELETE", eventful: eventAsync, action: "deleting network",
			params: []param{{"id", "uuid:network", true, "the ID of the network"}, {"forced", "boolean", false, "Force delete a network."}},
			check:  checkNetwork, run: deleteNetwork, sync: networkSync,
			describe: func(z *Zone, c *call) string { return fmt.Sprintf("Deleting network: %d", c.eventResource) }, detail: networkDetail,
		},
		{
			name: "restartNetwork", about: "Restarts the network; includes 1) restarting network elements - virtual routers, DHCP servers 2) reapplying all public IPs 3) reapplying loadBalancing/portForwarding rules",
			class: userClasses + "network.RestartNetworkCmd", kind: asyncCommand, instance: "Network",
			event: "NETWORK.RESTART", eventful: eventAsync, action: "restarting network",
			params: []param{{"id", "uuid:network", true, "The ID of the network to restart."}, {"cleanup", "boolean", false, "If cleanup old network elements"},
				{"makeredundant", "boolean", false, "Turn the network into a network with redundant routers."}, {"livepatch", "boolean", false, "Live patches the router software."}},
			check: checkNetwork, run: restartNetwork, sync: networkSync,
			describe: func(z *Zone, c *call) string { return "Restarting network: " + c.str("id") }, detail: networkDetail,
		},
	}
}

func networkSync(z *Zone, c *call) string {
	if n := z.networkByUUID(c.str("id")); n != nil {
		return fmt.Sprintf("network:%d", n.ID)
	}
	return ""
}

func networkUpdateText(z *Zone, c *call) string {
	text := fmt.Sprintf("Updating network: %d", c.eventResource)
	if n := z.networkByUUID(c.str("id")); n != nil && c.has("networkofferingid") {
		text += fmt.Sprintf(". Original network offering ID: %s, new network offering ID: %s", n.Offering.UUID, c.str("networkofferingid"))
	}
	return text
}

func networkDetail(z *Zone, c *call) string {
	if c.eventResource == 0 {
		return ""
	}
	return fmt.Sprintf("Network Id: %d", c.eventResource)
}

// guestCIDR is what an isolated network without addresses of its own gets: the zone's guest CIDR.
var guestCIDR = netip.MustParsePrefix("10.1.1.0/24")

func createNetwork(z *Zone, c *call) (obj, error) {
	a, err := ownerAccount(z, c)
	if err != nil {
		return nil, err
	}
	n := &Network{UUID: z.uuid(), Name: c.str("name"), Text: c.str("displaytext"), State: "Allocated", Created: z.now(),
		Offering: offeringByUUID(z.networkOfferings, c.str("networkofferingid"))}
	if n.Text == "" {
		n.Text = n.Name
	}
	if c.has("vpcid") {
		n.VPC = z.vpcByUUID(c.str("vpcid"))
		if !n.VPC.Removed.IsZero() {
			return nil, api.Invalid("Unable to find vpc by id")
		}
		if err := mayUse(z, c, n.VPC.Account, "Vpc"); err != nil {
			return nil, err
		}
		a = n.VPC.Account
	}
	n.Account = a
	if err := networkCIDR(z, c, n); err != nil {
		return nil, err
	}
	if err := z.checkTier(n); err != nil {
		return nil, err
	}
	if err := z.checkLimit(a, limitNetwork); err != nil {
		return nil, err
	}
	if err := z.insertNetwork(c.ctx, n); err != nil {
		return nil, err
	}
	c.owner, c.eventResource, c.eventResourceType = a, n.ID, "Network"
	c.target = created{uuid: n.UUID, id: n.ID}
	return obj{"network": z.networkAnswer(n)}, nil
}

// networkCIDR reads gateway and netmask.
func networkCIDR(z *Zone, c *call, n *Network) error {
	if c.str("gateway") == "" && c.str("netmask") == "" {
		if n.VPC != nil {
			return api.BadParameter("gateway and netmask are required for a tier of a VPC")
		}
		n.CIDR, n.Gateway = guestCIDR, guestCIDR.Addr().Next()
		return nil
	}
	gateway, err := netip.ParseAddr(c.str("gateway"))
	if err != nil || !gateway.Is4() {
		return api.Invalid("Invalid gateway %s", c.str("gateway"))
	}
	mask := net.ParseIP(c.str("netmask")).To4()
	ones, bits := net.IPMask(mask).Size()
	if mask == nil || bits == 0 || ones > 30 {
		return api.Invalid("Invalid netmask %s", c.str("netmask"))
	}
	n.Gateway, n.CIDR = gateway, netip.PrefixFrom(gateway, ones).Masked()
	return nil
}

// checkTier refuses a tier that does not fit its VPC.
func (z *Zone) checkTier(n *Network) error {
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
	publicLB := n.Offering.has("Lb") && n.Offering.lbProvider() == n.Offering.provider()
	for _, o := range z.networks {
		if o.VPC != n.VPC || !o.Removed.IsZero() {
			continue
		}
		if o.CIDR.Overlaps(n.CIDR) {
			return api.Invalid("Network cidr %s crosses other network cidr %s belonging to the same vpc", n.CIDR, o.CIDR)
		}
		if o.Name == n.Name {
			return api.Invalid("Network with name %s already exists in VPC", n.Name)
		}
		if publicLB && o.Offering != n.Offering && o.Offering.has("Lb") && o.Offering.lbProvider() == o.Offering.provider() {
			return api.Invalid("LB service is already supported by network %s in VPC %s", o.Name, n.VPC.Name)
		}
	}
	return nil
}

func (z *Zone) insertNetwork(ctx context.Context, n *Network) error {
	row := obj{
		"name": n.Name, "uuid": n.UUID, "display_text": n.Text, "traffic_type": "Guest", "broadcast_domain_type": "Vlan", "gateway": n.Gateway.String(),
		"cidr": n.CIDR.String(), "mode": "Dhcp", "network_offering_id": n.Offering.ID, "physical_network_id": 1, "data_center_id": zoneID,
		"guru_name": "ExternalGuestNetworkGuru", "state": n.State, "related": 0, "domain_id": n.Account.Domain.ID, "account_id": n.Account.ID,
		"acl_type": "Account", "network_domain": z.networkDomain(n), "guest_type": "Isolated", "created": n.Created, "public_mtu": 1500, "private_mtu": 1500,
	}
	if n.VPC != nil {
		row["vpc_id"] = n.VPC.ID
	}
	id, err := z.insert(ctx, "cloud.networks", row)
	if err != nil {
		return err
	}
	n.ID = id
	z.networks = append(z.networks, n)
	if err := z.update(ctx, "cloud.networks", id, obj{"related": id}); err != nil {
		return err
	}
	if z.knobs[release.NetworkUsageModelOld] {
		return nil
	}
	return z.networkUsage(ctx, "NETWORK.CREATE", n)
}

// networkUsage writes a NETWORK.* usage event; updates carry the state.
func (z *Zone) networkUsage(ctx context.Context, typ string, n *Network) error {
	fields := obj{"resource_name": n.Name, "offering_id": n.Offering.ID}
	if typ == "NETWORK.UPDATE" || typ == "NETWORK.CREATE" && !z.knobs[release.NetworkUsageModelOld] {
		fields["resource_type"] = n.State
	}
	return z.usageEvent(ctx, typ, n.Account, zoneID, n.ID, fields)
}

func listNetworks(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, n := range z.networks {
		if !n.Removed.IsZero() || !visible(z, c, n.Account) && !(z.knobs[release.ListNetworksAnyAccount] && callerOf(c).Account.Type == 1) || c.has("id") && c.str("id") != n.UUID ||
			c.has("vpcid") && (n.VPC == nil || n.VPC.UUID != c.str("vpcid")) || c.has("forvpc") && c.boolean("forvpc", false) != (n.VPC != nil) ||
			c.has("networkofferingid") && n.Offering.UUID != c.str("networkofferingid") || c.has("type") && !strings.EqualFold(c.str("type"), "Isolated") ||
			!matches(c.str("keyword"), n.Name) || slices.ContainsFunc(c.list("supportedservices"), func(s string) bool { return !n.Offering.has(s) }) {
			continue
		}
		out = append(out, z.networkAnswer(n))
	}
	return c.page("network", out), nil
}

func checkNetwork(z *Zone, c *call) error {
	n, err := networkParam(z, c, "id")
	if err != nil {
		return err
	}
	if !n.Removed.IsZero() {
		word := "Networkd" // update and restart have it misspelt
		if c.cmd.name == "deleteNetwork" {
			word = "Network"
		}
		return api.Invalid("%s ID=%d doesn't exist", word, n.ID)
	}
	c.owner, c.eventResource, c.eventResourceType = n.Account, n.ID, "Network"
	c.target = created{uuid: n.UUID, id: n.ID}
	return mayUse(z, c, n.Account, "Network")
}

func updateNetwork(z *Zone, c *call) (obj, error) {
	n, err := networkParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if o := offeringByUUID(z.networkOfferings, c.str("networkofferingid")); o != nil && o != n.Offering {
		if err := changeOffering(z, c, n, o); err != nil {
			return nil, err
		}
	}
	if c.has("name") {
		n.Name = c.str("name")
	}
	if c.has("displaytext") {
		n.Text = c.str("displaytext")
	}
	if err := z.update(c.ctx, "cloud.networks", n.ID, obj{"name": n.Name, "display_text": n.Text, "network_offering_id": n.Offering.ID}); err != nil {
		return nil, err
	}
	if err := z.networkUsage(c.ctx, "NETWORK.UPDATE", n); err != nil {
		return nil, err
	}
	return obj{"network": z.networkAnswer(n)}, nil
}

// changeOffering moves a network to another offering. Services that go take their rules along, when forced.
func changeOffering(z *Zone, c *call, n *Network, o *Offering) error {
	if o.ForVPC != n.Offering.ForVPC {
		return api.Invalid("Can't upgrade from network offering %s to %s; the offerings are not compatible", n.Offering.UUID, o.UUID)
	}
	var lost []string
	for _, s := range n.Offering.Services {
		if !o.has(s) && serviceInUse(z, c, n, s) {
			lost = append(lost, s)
		}
	}
	if len(lost) > 0 && !c.boolean("forced", false) {
		return &api.Error{Code: api.CodeInternal, CSCode: api.CSCloudRuntime, Text: fmt.Sprintf("The new offering:%s will remove the following services [%s]along with all the related configuration currently in use. will not proceed with the network update.set forced parameter to true for forcing an update.",
			o.Name, strings.Join(lost, ", "))}
	}
	for _, service := range []string{"Lb", "PortForwarding"} {
		if slices.Contains(lost, service) {
			if err := z.netHooks.dropService(c.ctx, n, service); err != nil {
				return err
			}
		}
	}
	n.Offering = o
	return nil
}

func serviceInUse(z *Zone, c *call, n *Network, service string) bool {
	switch service {
	case "Lb", "PortForwarding":
		return z.netHooks.serviceInUse(n, service)
	case "StaticNat":
		return slices.ContainsFunc(z.addresses, func(a *Address) bool { return a.StaticNAT && a.Network == n })
	}
	return false
}

func deleteNetwork(z *Zone, c *call) (obj, error) {
	n, err := networkParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if !n.Removed.IsZero() {
		return nil, api.Invalid("unable to find network with id=%d", n.ID)
	}
	err = z.destroyNetwork(c.ctx, n)
	c.eventFine = errors.Is(err, errNetworkInUse)
	return obj{"success": true}, err
}

func restartNetwork(z *Zone, c *call) (obj, error) {
	n, err := networkParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if n.State != "Implemented" && n.State != "Setup" {
		return nil, api.Invalid("Network is not in the right state to be restarted. Correct states are: Implemented, Setup")
	}
	mine := func(r *Router) bool { return r.Network == n || n.VPC != nil && r.VPC == n.VPC }
	return obj{"success": true}, z.restartRouters(c.ctx, mine, c.boolean("cleanup", false) && n.VPC == nil, func() error {
		if n.VPC == nil {
			return z.ensureRouters(c.ctx, nil, n)
		}
		if err := z.startVPC(c.ctx, n.VPC); err != nil || !z.netHooks.serviceInUse(n, "Lb") {
			return err
		}
		return z.netHooks.push(c.ctx, n)
	})
}
