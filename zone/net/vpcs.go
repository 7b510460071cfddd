package net

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func vpcCommands() []command {
	return []command{
		{
			Name: "createVPC", About: "Creates a VPC", Class: kernel.AdminClasses + "vpc.CreateVPCCmdByAdmin",
			Kind: kernel.AsyncCreate, Instance: "None",
			Event: "VPC.CREATE", Eventful: kernel.EventCreateAsync, Action: "creating vpc",
			Params: []param{
				{Name: "zoneid", Type: "uuid:zone", Required: true, About: "the ID of the availability zone"},
				{Name: "name", Type: "string", Required: true, About: "the name of the VPC"},
				{Name: "displaytext", Type: "string", About: "The display text of the VPC, defaults to its 'name'."},
				{Name: "cidr", Type: "string", About: "the cidr of the VPC. All VPC guest networks' cidrs should " +
					"be within this CIDR"},
				{Name: "vpcofferingid", Type: "uuid:vpcoffering", Required: true, About: "the ID of the VPC offering"},
				{Name: "networkdomain", Type: "string", About: "VPC network domain. All networks inside the VPC " +
					"will belong to this domain"},
				{Name: "start", Type: "boolean", About: "If set to false, the VPC won't start (VPC VR will not " +
					"get allocated) until its first network gets implemented. True by default."},
				{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
				{Name: "account", Type: "string", About: "the account associated with the VPC. Must be used with " +
					"the domainId parameter."},
				{Name: "domainid", Type: "uuid:domain", About: "the domain ID associated with the VPC"},
			},
			Create: createVPC, Run: finishVPC,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("creating VPC. Id: %d",
					c.Target.ID)
			},
		},
		{
			Name: "listVPCs", About: "Lists VPCs",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:vpc", About: "list VPC by id"},
				param{Name: "name", Type: "string", About: "list by name of the VPC"},
				param{Name: "zoneid", Type: "uuid:zone", About: "list by zone"},
				param{Name: "vpcofferingid", Type: "uuid:vpcoffering", About: "list by ID of the VPC offering"},
				param{Name: "state", Type: "string", About: "list VPCs by state"},
				param{Name: "cidr", Type: "string", About: "list by cidr of the VPC"}),
			Run: listVPCs,
		},
		{
			Name: "updateVPC", About: "Updates a VPC", Class: kernel.AdminClasses + "vpc.UpdateVPCCmdByAdmin",
			Kind: kernel.AsyncCommand, Instance: "Vpc",
			Event: "VPC.UPDATE", Eventful: kernel.EventAsync, Action: "updating vpc",
			Params: []param{{Name: "id", Type: "uuid:vpc", Required: true, About: "the id of the VPC"},
				{Name: "name", Type: "string", About: "the name of the VPC"},
				{Name: "displaytext", Type: "string", About: "the display text of the VPC"}},
			Check: checkVPC, Run: updateVPC, Sync: vpcSync,
			Describe: func(mgr *Manager, c *kernel.Call) string { return "updating VPC id=" + c.Str("id") },
		},
		{
			Name: "deleteVPC", About: "Deletes a VPC", Class: kernel.UserClasses + "vpc.DeleteVPCCmd",
			Kind: kernel.AsyncCommand, Instance: "Vpc",
			Event: "VPC.DELETE", Eventful: kernel.EventUnstarted, Action: "deleting VPC",
			Params: []param{{Name: "id", Type: "uuid:vpc", Required: true, About: "the ID of the VPC"}},
			Check:  checkVPC, Run: deleteVPC, Sync: vpcSync,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Deleting VPC id=%d",
					c.EventResource)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return fmt.Sprintf(" Id: %d", c.EventResource) },
		},
		{
			Name: "restartVPC", About: "Restarts a VPC", Class: kernel.UserClasses + "vpc.RestartVPCCmd",
			Kind: kernel.AsyncCommand, Instance: "Vpc",
			Event: "VPC.RESTART", Eventful: kernel.EventUnstarted, Action: "restarting vpc",
			Params: []param{{Name: "id", Type: "uuid:vpc", Required: true, About: "the id of the VPC"},
				{Name: "cleanup", Type: "boolean", About: "If cleanup old network elements"},
				{Name: "makeredundant", Type: "boolean", About: "Turn a single VPC into a redundant one."},
				{Name: "livepatch", Type: "boolean", About: "Live patches the router software before restarting it."}},
			Check: checkVPC, Run: restartVPC, Sync: vpcSync,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("restarting VPC id=%d", mgr.VPCByUUID(c.Str("id")).ID)
			},
		},
	}
}

func vpcSync(mgr *Manager, c *kernel.Call) string { return "vpc:" + c.Str("id") }

func createVPC(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	a, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	cidr := netip.MustParsePrefix("10.0.0.0/8")
	if c.Has("cidr") {
		if cidr, err = netip.ParsePrefix(c.Str("cidr")); err != nil || !cidr.Addr().Is4() ||
			!cidr.Addr().IsPrivate() {
			return kernel.Created{}, api.BadParameter("Invalid format for VPC cidr %s", c.Str("cidr"))
		}
	}
	if err := mgr.tenancy.CheckLimit(a, tenancy.LimitVPC); err != nil {
		return kernel.Created{}, err
	}
	v := &VPC{
		UUID: mgr.UUID(), Name: c.Str("name"), Text: c.Str("displaytext"), CIDR: cidr,
		Offering: OfferingByUUID(mgr.VPCOfferings, c.Str("vpcofferingid")),
		Account:  a, State: "Enabled", Domain: c.Str("networkdomain"), Created: mgr.Now(),
	}
	if v.Text == "" {
		v.Text = v.Name
	}
	if v.Domain == "" {
		v.Domain = tenancy.AccountDomain(a)
	}
	if v.ID, err = mgr.Insert(c.Ctx, "cloud.vpc", obj{
		"uuid": v.UUID, "name": v.Name, "display_text": v.Text, "cidr": cidr.String(),
		"vpc_offering_id": v.Offering.ID, "zone_id": kernel.ZoneID,
		"state": v.State, "domain_id": a.Domain.ID, "account_id": a.ID, "network_domain": v.Domain,
		"created":   v.Created,
		"redundant": v.redundant(), "public_mtu": 1500,
	}); err != nil {
		return kernel.Created{}, err
	}
	mgr.VPCs.Add(v)
	c.Owner, c.EventResource, c.EventResourceType = a, v.ID, "Vpc"
	return kernel.Created{UUID: v.UUID, ID: v.ID}, mgr.UsageEvent(c.Ctx, "VPC.CREATE", a, kernel.ZoneID, v.ID,
		obj{"resource_name": v.Name})
}

func finishVPC(mgr *Manager, c *kernel.Call) (obj, error) {
	v := mgr.VPCByUUID(c.Target.UUID)
	if c.Boolean("start", true) {
		if err := mgr.startVPC(c.Ctx, v); err != nil {
			return nil, err
		}
	}
	return obj{"vpc": vpcAnswer(mgr, v)}, nil
}

// startVPC makes sure that a VPC has its source NAT address and its router(s), running.
func (mgr *Manager) startVPC(ctx context.Context, v *VPC) error {
	if v.SourceIP == nil {
		a, err := mgr.allocate(ctx, v.Account, netip.Addr{}, func(a *Address) { a.VPC, a.SourceNAT = v, true })
		if err != nil {
			return err
		}
		v.SourceIP = a
	}
	return mgr.ensureRouters(ctx, v, nil)
}

func listVPCs(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, v := range mgr.VPCs.All() {
		if !v.Removed.IsZero() || !tenancy.Visible(mgr.tenancy, c, v.Account) || c.Has("id") &&
			c.Str("id") != v.UUID || c.Has("name") && !kernel.Matches(c.Str("name"), v.Name) ||
			c.Has("vpcofferingid") && c.Str("vpcofferingid") != v.Offering.UUID || c.Has("state") &&
			c.Str("state") != v.State ||
			c.Has("cidr") && c.Str("cidr") != v.CIDR.String() || !kernel.Matches(c.Str("keyword"), v.Name) {
			continue
		}
		out = append(out, vpcAnswer(mgr, v))
	}
	return c.Page("vpc", out), nil
}

func checkVPC(mgr *Manager, c *kernel.Call) error {
	v, err := vpcParam(mgr, c, "id")
	if err != nil {
		return err
	}
	c.Owner, c.EventResource, c.EventResourceType, c.Target = v.Account, v.ID, "Vpc",
		kernel.Created{UUID: v.UUID, ID: v.ID}
	if !v.Removed.IsZero() {
		c.Owner = mgr.tenancy.System.Account // a VPC that is gone has no owner any more
	}
	return tenancy.MayUse(mgr.tenancy, c, v.Account, "Vpc")
}

// liveVPC refuses a VPC that was removed meanwhile.
func liveVPC(mgr *Manager, c *kernel.Call) (*VPC, error) {
	v, err := vpcParam(mgr, c, "id")
	if err == nil && !v.Removed.IsZero() {
		err = api.Invalid("unable to find VPC id=%d", v.ID)
	}
	return v, err
}

func updateVPC(mgr *Manager, c *kernel.Call) (obj, error) {
	v, err := liveVPC(mgr, c)
	if err != nil {
		return nil, err
	}
	if c.Has("name") {
		v.Name = c.Str("name")
	}
	if c.Has("displaytext") {
		v.Text = c.Str("displaytext")
	}
	if err := mgr.Update(c.Ctx, "cloud.vpc", v.ID, obj{"name": v.Name, "display_text": v.Text}); err != nil {
		return nil, err
	}
	return obj{"vpc": vpcAnswer(mgr, v)}, nil
}

func deleteVPC(mgr *Manager, c *kernel.Call) (obj, error) {
	v, err := liveVPC(mgr, c)
	if err != nil {
		return nil, err
	}
	used := 0
	for _, n := range mgr.Networks.All() {
		if n.VPC == v && n.Removed.IsZero() {
			used++
		}
	}
	if used > 0 {
		return nil, api.Invalid("Can't delete VPC %s as its used by %d networks", mgr.ObjectText(fmt.Sprintf(
			"[VPC [%d-%s]", v.ID, v.Name), "VPC", "id", v.ID, "name", v.Name, "uuid", v.UUID), used)
	}
	return obj{"success": true}, mgr.DestroyVPC(c.Ctx, v)
}

// DestroyVPC releases the VPC's addresses with what hangs on them, destroys its routers and removes it.
func (mgr *Manager) DestroyVPC(ctx context.Context, v *VPC) error {
	v.State = "Inactive"
	if err := mgr.Update(ctx, "cloud.vpc", v.ID, obj{"state": v.State}); err != nil {
		return err
	}
	for _, r := range slices.Clone(mgr.Routers.All()) {
		if r.VPC == v {
			if err := mgr.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	for _, a := range mgr.Addresses.All() {
		if a.VPC == v {
			if err := mgr.Release(ctx, a); err != nil {
				return err
			}
		}
	}
	for _, l := range slices.Clone(mgr.ACLs) {
		if l.VPC == v {
			dropACL(mgr, l)
		}
	}
	v.Removed = mgr.Now()
	if err := mgr.Update(ctx, "cloud.vpc", v.ID, obj{"removed": v.Removed}); err != nil {
		return err
	}
	return mgr.UsageEvent(ctx, "VPC.DELETE", v.Account, kernel.ZoneID, v.ID, obj{"resource_name": v.Name})
}

func restartVPC(mgr *Manager, c *kernel.Call) (obj, error) {
	v, err := liveVPC(mgr, c)
	if err != nil {
		return nil, err
	}
	if c.Boolean("makeredundant", false) && !v.redundant() {
		if i := slices.IndexFunc(mgr.VPCOfferings, func(o *Offering) bool {
			return o.Name == "Redundant VPC "+
				"offering"
		}); i >= 0 {
			v.Offering = mgr.VPCOfferings[i]
		}
	}
	return obj{"success": true}, mgr.restartRouters(c.Ctx, func(r *Router) bool { return r.VPC == v },
		c.Boolean("cleanup", false) || c.Boolean("makeredundant", false), func() error {
			return mgr.startVPC(c.Ctx, v)
		})
}
