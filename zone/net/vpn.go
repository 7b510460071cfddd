package net

import (
	"context"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// VPNUser is a user of an account's remote access VPN: only its usage matters here. It lives in memory.
type VPNUser struct {
	ID      int64
	UUID    string
	Name    string
	Account *tenancy.Account
}

func vpnCommands() []command {
	owner := []param{{Name: "username", Type: "string", Required: true, About: "username for the vpn user"},
		{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
		{Name: "account", Type: "string", About: "an optional account for the vpn user. Must be used with domainId."},
		{Name: "domainid", Type: "uuid:domain", About: "an optional domainId for the vpn user."}}
	return []command{
		{
			Name: "addVpnUser", About: "Adds vpn users", Class: kernel.UserClasses + "vpn.AddVpnUserCmd",
			Kind: kernel.AsyncCreate, Instance: "VpnUser",
			Event: "VPN.USER.ADD", Eventful: kernel.EventAsync, Action: "adding VPN user",
			Params: append(owner, param{Name: "password", Type: "string", Required: true,
				About: "password for the username"}),
			Create: func(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
				a, err := tenancy.OwnerAccount(mgr.tenancy, c)
				if err != nil {
					return kernel.Created{}, err
				}
				if slices.ContainsFunc(mgr.VPNUsers.All(), func(u *VPNUser) bool {
					return u.Account == a &&
						u.Name == c.Str("username")
				}) {
					return kernel.Created{}, api.Invalid("VPN User with name %s is already added for account %s",
						c.Str("username"), a.Name)
				}
				u := &VPNUser{ID: mgr.NextID("cloud.vpn_users"), UUID: mgr.UUID(), Name: c.Str("username"), Account: a}
				mgr.VPNUsers.Add(u)
				return kernel.Created{UUID: u.UUID, ID: u.ID}, mgr.UsageEvent(c.Ctx, "VPN.USER.ADD", a, kernel.ZoneID,
					u.ID, obj{"resource_name": u.Name})
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				u := mgr.VPNUsers.ByUUID(c.Target.UUID)
				if u == nil {
					return nil, api.Invalid("Unable to find VPN user %s", c.Str("username"))
				}
				return obj{"vpnuser": vpnAnswer(mgr, u)}, nil
			},
		},
		{
			Name: "removeVpnUser", About: "Removes vpn user", Class: kernel.UserClasses + "vpn.RemoveVpnUserCmd",
			Kind: kernel.AsyncCommand, Instance: "VpnUser",
			Event: "VPN.USER.REMOVE", Eventful: kernel.EventAsync, Action: "removing VPN user", Params: owner,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				a, err := tenancy.OwnerAccount(mgr.tenancy, c)
				if err != nil {
					return nil, err
				}
				for _, u := range mgr.VPNUsers.All() {
					if u.Account == a && u.Name == c.Str("username") {
						return obj{"success": true}, mgr.RemoveVPNUser(c.Ctx, u)
					}
				}
				return nil, api.Invalid("Could not find VPN user=[%s]. VPN owner id=[%d]", c.Str("username"), a.ID)
			},
		},
		{
			Name: "listVpnUsers", About: "Lists vpn users", Params: kernel.ListParams(param{Name: "username",
				Type: "string", About: "the username of the vpn user."}),
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				var out []obj
				for _, u := range mgr.VPNUsers.All() {
					if tenancy.Visible(mgr.tenancy, c, u.Account) && (!c.Has("username") ||
						c.Str("username") == u.Name) {
						out = append(out, vpnAnswer(mgr, u))
					}
				}
				return c.Page("vpnuser", out), nil
			},
		},
	}
}

func vpnAnswer(mgr *Manager, u *VPNUser) obj {
	out := obj{"id": u.UUID, "username": u.Name, "state": "Active"}
	mgr.tenancy.Owned(out, u.Account)
	return out
}

// RemoveVPNUser removes a VPN user with its usage.
func (mgr *Manager) RemoveVPNUser(ctx context.Context, u *VPNUser) error {
	mgr.VPNUsers.Remove(u)
	return mgr.UsageEvent(ctx, "VPN.USER.REMOVE", u.Account, kernel.ZoneID, u.ID, obj{"resource_name": u.Name})
}
