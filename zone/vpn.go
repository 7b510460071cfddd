package zone

import (
	"context"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

// VPNUser is a user of an account's remote access VPN: only its usage matters here. It lives in memory.
type VPNUser struct {
	ID      int64
	UUID    string
	Name    string
	Account *Account
}

func (z *Zone) vpnCommands() []command {
	owner := []param{{"username", "string", true, "username for the vpn user"}, {"account", "string", false, "an optional account for the vpn user. Must be used with domainId."},
		{"domainid", "uuid:domain", false, "an optional domainId for the vpn user."}}
	return []command{
		{
			name: "addVpnUser", about: "Adds vpn users", class: userClasses + "vpn.AddVpnUserCmd", kind: asyncCreate, instance: "VpnUser",
			event: "VPN.USER.ADD", eventful: eventAsync, action: "adding VPN user", params: append(owner, param{"password", "string", true, "password for the username"}),
			create: func(z *Zone, c *call) (created, error) {
				a, err := ownerAccount(z, c)
				if err != nil {
					return created{}, err
				}
				if slices.ContainsFunc(z.vpnUsers, func(u *VPNUser) bool { return u.Account == a && u.Name == c.str("username") }) {
					return created{}, api.Invalid("VPN User with name %s is already added for account %s", c.str("username"), a.Name)
				}
				z.ids["cloud.vpn_users"]++
				u := &VPNUser{ID: z.ids["cloud.vpn_users"], UUID: z.uuid(), Name: c.str("username"), Account: a}
				z.vpnUsers = append(z.vpnUsers, u)
				return created{uuid: u.UUID, id: u.ID}, z.usageEvent(c.ctx, "VPN.USER.ADD", a, zoneID, u.ID, obj{"resource_name": u.Name})
			},
			run: func(z *Zone, c *call) (obj, error) {
				u, ok := find(z.vpnUsers, c.target.uuid, func(u *VPNUser) string { return u.UUID })
				if !ok {
					return nil, api.Invalid("Unable to find VPN user %s", c.str("username"))
				}
				return obj{"vpnuser": z.vpnAnswer(u)}, nil
			},
		},
		{
			name: "removeVpnUser", about: "Removes vpn user", class: userClasses + "vpn.RemoveVpnUserCmd", kind: asyncCommand, instance: "VpnUser",
			event: "VPN.USER.REMOVE", eventful: eventAsync, action: "removing VPN user", params: owner,
			run: func(z *Zone, c *call) (obj, error) {
				a, err := ownerAccount(z, c)
				if err != nil {
					return nil, err
				}
				for _, u := range z.vpnUsers {
					if u.Account == a && u.Name == c.str("username") {
						return obj{"success": true}, z.removeVPNUser(c.ctx, u)
					}
				}
				return nil, api.Invalid("Could not find VPN user=[%s]. VPN owner id=[%d]", c.str("username"), a.ID)
			},
		},
		{
			name: "listVpnUsers", about: "Lists vpn users", params: listParams(param{"username", "string", false, "the username of the vpn user."}),
			run: func(z *Zone, c *call) (obj, error) {
				var out []obj
				for _, u := range z.vpnUsers {
					if visible(z, c, u.Account) && (!c.has("username") || c.str("username") == u.Name) {
						out = append(out, z.vpnAnswer(u))
					}
				}
				return c.page("vpnuser", out), nil
			},
		},
	}
}

func (z *Zone) vpnAnswer(u *VPNUser) obj {
	out := obj{"id": u.UUID, "username": u.Name, "state": "Active"}
	z.owned(out, u.Account)
	return out
}

func (z *Zone) removeVPNUser(ctx context.Context, u *VPNUser) error {
	z.vpnUsers = slices.DeleteFunc(z.vpnUsers, func(o *VPNUser) bool { return o == u })
	return z.usageEvent(ctx, "VPN.USER.REMOVE", u.Account, zoneID, u.ID, obj{"resource_name": u.Name})
}
