package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

const (
	adminClasses = "org.apache.cloudstack.api.command.admin."
	userClasses  = "org.apache.cloudstack.api.command.user."
)

func (z *Zone) vpcCommands() []command {
	return []command{
		{
			name: "createVPC", about: "Creates a VPC", class: adminClasses + "vpc.CreateVPCCmdByAdmin", kind: asyncCreate, instance: "None",
			event: "VPC.CREATE", eventful: eventCreateAsync, action: "creating vpc",
			params: []param{
				{"zoneid", "uuid:zone", true, "the ID of the availability zone"}, {"name", "string", true, "the name of the VPC"},
				{"displaytext", "string", false, "The display text of the VPC, defaults to its 'name'."},
				{"cidr", "string", false, "the cidr of the VPC. All VPC guest networks' cidrs should be within this CIDR"},
				{"vpcofferingid", "uuid:vpcoffering", true, "the ID of the VPC offering"},
				{"networkdomain", "string", false, "VPC network domain. All networks inside the VPC will belong to this domain"},
				{"start", "boolean", false, "If set to false, the VPC won't start (VPC VR will not get allocated) until its first network gets implemented. True by default."},
				{"account", "string", false, "the account associated with the VPC. Must be used with the domainId parameter."},
				{"domainid", "uuid:domain", false, "the domain ID associated with the VPC"},
			},
			create: createVPC, run: finishVPC,
			describe: func(z *Zone, c *call) string { return fmt.Sprintf("creating VPC. Id: %d", c.target.id) },
		},
		{
			name: "listVPCs", about: "Lists VPCs",
			params: listParams(param{"id", "uuid:vpc", false, "list VPC by id"}, param{"name", "string", false, "list by name of the VPC"},
				param{"zoneid", "uuid:zone", false, "list by zone"}, param{"vpcofferingid", "uuid:vpcoffering", false, "list by ID of the VPC offering"},
				param{"state", "string", false, "list VPCs by state"}, param{"cidr", "string", false, "list by cidr of the VPC"}),
			run: listVPCs,
		},
		{
			name: "updateVPC", about: "Updates a VPC", class: adminClasses + "vpc.UpdateVPCCmdByAdmin", kind: asyncCommand, instance: "Vpc",
			event: "VPC.UPDATE", eventful: eventAsync, action: "updating vpc",
			params: []param{{"id", "uuid:vpc", true, "the id of the VPC"}, {"name", "string", false, "the name of the VPC"}, {"displaytext", "string", false, "the display text of the VPC"}},
			check:  checkVPC, run: updateVPC, sync: vpcSync,
			describe: func(z *Zone, c *call) string { return "updating VPC id=" + c.str("id") },
		},
		{
			name: "deleteVPC", about: "Deletes a VPC", class: userClasses + "vpc.DeleteVPCCmd", kind: asyncCommand, instance: "Vpc",
			event: "VPC.DELETE", eventful: eventUnstarted, action: "deleting VPC",
			params: []param{{"id", "uuid:vpc", true, "the ID of the VPC"}},
			check:  checkVPC, run: deleteVPC, sync: vpcSync,
			describe: func(z *Zone, c *call) string { return fmt.Sprintf("Deleting VPC id=%d", c.eventResource) },
			detail:   func(z *Zone, c *call) string { return fmt.Sprintf(" Id: %d", c.eventResource) },
		},
		{
			name: "restartVPC", about: "Restarts a VPC", class: userClasses + "vpc.RestartVPCCmd", kind: asyncCommand, instance: "Vpc",
			event: "VPC.RESTART", eventful: eventUnstarted, action: "restarting vpc",
			params: []param{{"id", "uuid:vpc", true, "the id of the VPC"}, {"cleanup", "boolean", false, "If cleanup old network elements"},
				{"makeredundant", "boolean", false, "Turn a single VPC into a redundant one."}, {"livepatch", "boolean", false, "Live patches the router software before restarting it."}},
			check: checkVPC, run: restartVPC, sync: vpcSync,
			describe: func(z *Zone, c *call) string { return fmt.Sprintf("restarting VPC id=%d", z.vpcByUUID(c.str("id")).ID) },
		},
	}
}

func vpcSync(z *Zone, c *call) string { return "vpc:" + c.str("id") }

func createVPC(z *Zone, c *call) (created, error) {
	a, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	cidr := netip.MustParsePrefix("10.0.0.0/8")
	if c.has("cidr") {
		if cidr, err = netip.ParsePrefix(c.str("cidr")); err != nil || !cidr.Addr().Is4() || cidr.Masked() != cidr || !cidr.Addr().IsPrivate() {
			return created{}, api.BadParameter("Invalid format for VPC cidr %s", c.str("cidr"))
		}
	}
	if err := z.checkLimit(a, limitVPC); err != nil {
		return created{}, err
	}
	v := &VPC{
		UUID: z.uuid(), Name: c.str("name"), Text: c.str("displaytext"), CIDR: cidr, Offering: offeringByUUID(z.vpcOfferings, c.str("vpcofferingid")),
		Account: a, State: "Enabled", Domain: c.str("networkdomain"), Created: z.now(),
	}
	if v.Text == "" {
		v.Text = v.Name
	}
	if v.Domain == "" {
		v.Domain = accountDomain(a)
	}
	if v.ID, err = z.insert(c.ctx, "cloud.vpc", obj{
		"uuid": v.UUID, "name": v.Name, "display_text": v.Text, "cidr": cidr.String(), "vpc_offering_id": v.Offering.ID, "zone_id": zoneID,
		"state": v.State, "domain_id": a.Domain.ID, "account_id": a.ID, "network_domain": v.Domain, "created": v.Created,
		"redundant": v.redundant(), "public_mtu": 1500,
	}); err != nil {
		return created{}, err
	}
	z.vpcs = append(z.vpcs, v)
	c.owner, c.eventResource, c.eventResourceType = a, v.ID, "Vpc"
	return created{uuid: v.UUID, id: v.ID}, z.usageEvent(c.ctx, "VPC.CREATE", a, zoneID, v.ID, obj{"resource_name": v.Name})
}

func finishVPC(z *Zone, c *call) (obj, error) {
	v := z.vpcByUUID(c.target.uuid)
	if c.boolean("start", true) {
		if err := z.startVPC(c.ctx, v); err != nil {
			return nil, err
		}
	}
	return obj{"vpc": z.vpcAnswer(v)}, nil
}

// startVPC makes sure that a VPC has its source NAT address and its router(s), running.
func (z *Zone) startVPC(ctx context.Context, v *VPC) error {
	if v.SourceIP == nil {
		a, err := z.allocate(ctx, v.Account, netip.Addr{}, func(a *Address) { a.VPC, a.SourceNAT = v, true })
		if err != nil {
			return err
		}
		v.SourceIP = a
	}
	return z.ensureRouters(ctx, v, nil)
}

func listVPCs(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, v := range z.vpcs {
		if !v.Removed.IsZero() || !visible(z, c, v.Account) || c.has("id") && c.str("id") != v.UUID || c.has("name") && c.str("name") != v.Name ||
			c.has("vpcofferingid") && c.str("vpcofferingid") != v.Offering.UUID || c.has("state") && c.str("state") != v.State ||
			c.has("cidr") && c.str("cidr") != v.CIDR.String() || !matches(c.str("keyword"), v.Name) {
			continue
		}
		out = append(out, z.vpcAnswer(v))
	}
	return c.page("vpc", out), nil
}

func checkVPC(z *Zone, c *call) error {
	v, err := vpcParam(z, c, "id")
	if err != nil {
		return err
	}
	c.owner, c.eventResource, c.eventResourceType, c.target = v.Account, v.ID, "Vpc", created{uuid: v.UUID, id: v.ID}
	if !v.Removed.IsZero() {
		c.owner = z.system.Account // a VPC that is gone has no owner any more
	}
	return mayUse(z, c, v.Account, "Vpc")
}

// liveVPC refuses a VPC that was removed meanwhile.
func liveVPC(z *Zone, c *call) (*VPC, error) {
	v, err := vpcParam(z, c, "id")
	if err == nil && !v.Removed.IsZero() {
		err = api.Invalid("unable to find VPC id=%d", v.ID)
	}
	return v, err
}

func updateVPC(z *Zone, c *call) (obj, error) {
	v, err := liveVPC(z, c)
	if err != nil {
		return nil, err
	}
	if c.has("name") {
		v.Name = c.str("name")
	}
	if c.has("displaytext") {
		v.Text = c.str("displaytext")
	}
	if err := z.update(c.ctx, "cloud.vpc", v.ID, obj{"name": v.Name, "display_text": v.Text}); err != nil {
		return nil, err
	}
	return obj{"vpc": z.vpcAnswer(v)}, nil
}

func deleteVPC(z *Zone, c *call) (obj, error) {
	v, err := liveVPC(z, c)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(z.networks, func(n *Network) bool { return n.VPC == v && n.Removed.IsZero() }) {
		return nil, api.Invalid("Can't delete VPC %s (%d) as its used by some networks", v.Name, v.ID)
	}
	return obj{"success": true}, z.destroyVPC(c.ctx, v)
}

// destroyVPC releases the VPC's addresses with what hangs on them, destroys its routers and removes it.
func (z *Zone) destroyVPC(ctx context.Context, v *VPC) error {
	v.State = "Inactive"
	if err := z.update(ctx, "cloud.vpc", v.ID, obj{"state": v.State}); err != nil {
		return err
	}
	for _, r := range slices.Clone(z.routers) {
		if r.VPC == v {
			if err := z.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	for _, a := range z.addresses {
		if a.VPC == v {
			if err := z.release(ctx, a); err != nil {
				return err
			}
		}
	}
	v.Removed = z.now()
	if err := z.update(ctx, "cloud.vpc", v.ID, obj{"removed": v.Removed}); err != nil {
		return err
	}
	return z.usageEvent(ctx, "VPC.DELETE", v.Account, zoneID, v.ID, obj{"resource_name": v.Name})
}

func restartVPC(z *Zone, c *call) (obj, error) {
	v, err := liveVPC(z, c)
	if err != nil {
		return nil, err
	}
	if c.boolean("makeredundant", false) && !v.redundant() {
		if i := slices.IndexFunc(z.vpcOfferings, func(o *Offering) bool { return o.Name == "Redundant VPC offering" }); i >= 0 {
			v.Offering = z.vpcOfferings[i]
		}
	}
	return obj{"success": true}, z.restartRouters(c.ctx, func(r *Router) bool { return r.VPC == v }, c.boolean("cleanup", false) || c.boolean("makeredundant", false), func() error {
		return z.startVPC(c.ctx, v)
	})
}
