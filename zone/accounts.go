package zone

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

func (z *Zone) accountCommands() []command {
	return []command{
		{
			name: "createAccount", about: "Creates an account", admin: true, event: "ACCOUNT.CREATE", eventful: eventSync, action: "creating Account",
			params: append(personParams(), param{"account", "string", false, "Name of the account to be created."}, param{"accounttype", "integer", false, "Type of the account. Specify 0 for user, 1 for root admin, and 2 for domain admin"},
				param{"domainid", "uuid:domain", false, "Creates the user under the specified domain."}, param{"roleid", "string", false, "Creates the account under the specified role."}),
			run: createAccount, detail: accountDetail,
		},
		{
			name: "listAccounts", about: "Lists accounts and provides detailed account information for listed accounts",
			params: listParams(param{"id", "uuid:account", false, "list account by account ID"}, param{"name", "string", false, "list account by account name"},
				param{"accounttype", "long", false, "list accounts by account type."}, param{"state", "string", false, "list accounts by state."}),
			run: listAccounts,
		},
		accountSwitch("enableAccount", "Enables an account", "enabled"), accountSwitch("disableAccount", "Disables an account", "disabled"),
		{
			name: "deleteAccount", about: "Deletes a account, and all users associated with this account", admin: true, class: adminClasses + "account.DeleteAccountCmd",
			kind: asyncCommand, instance: "Account", event: "ACCOUNT.DELETE", eventful: eventAsync, action: "deleting account",
			params: []param{{"id", "uuid:account", true, "Account id"}}, check: checkAccount, run: deleteAccount,
			describe: func(z *Zone, c *call) string {
				a := z.accountByUUID(c.str("id"))
				return fmt.Sprintf("Deleting user account %s (ID: %s) and all corresponding users", a.Name, a.UUID)
			},
			detail: func(z *Zone, c *call) string { return "Account ID: " + c.str("id") },
		},
	}
}

func accountDetail(z *Zone, c *call) string {
	domain := int64(1)
	if d := z.domainByUUID(c.str("domainid")); d != nil {
		domain = d.ID
	}
	return fmt.Sprintf("Account Name: %s, Domain Id:%d", c.str("account"), domain)
}

func accountSwitch(name, about, state string) command {
	return command{
		name: name, about: about, admin: true, event: strings.ToUpper("account." + strings.TrimSuffix(state, "d")), eventful: eventSync, action: strings.TrimSuffix(state, "d") + " account",
		params: []param{{"id", "uuid:account", false, "Account id"}, {"account", "string", false, "the specified account."}, {"domainid", "uuid:domain", false, "the specified domain."}, {"lock", "boolean", false, "If true, only lock the account; else disable the account"}},
		run: func(z *Zone, c *call) (obj, error) {
			a := z.accountByUUID(c.str("id"))
			if a == nil {
				var err error
				if a, err = ownerAccount(z, c); err != nil {
					return nil, err
				}
			}
			a.State = state
			if err := z.update(c.ctx, "cloud.account", a.ID, obj{"state": state}); err != nil {
				return nil, err
			}
			return obj{"account": z.accountAnswer(a)}, nil
		},
	}
}

// insertAccount mirrors an account; more adds columns.
func (z *Zone) insertAccount(ctx context.Context, a *Account, more obj) error {
	row := obj{"account_name": a.Name, "uuid": a.UUID, "type": a.Type, "domain_id": a.Domain.ID, "state": a.State, "created": a.Created, "role_id": 4}
	if a.Type == 1 {
		row["role_id"] = 1
	}
	for k, v := range more {
		row[k] = v
	}
	id, err := z.insert(ctx, "cloud.account", row)
	if a.ID == 0 {
		a.ID = id
	}
	return err
}

func createAccount(z *Zone, c *call) (obj, error) {
	d := z.domains[0]
	if c.has("domainid") {
		d = z.domainByUUID(c.str("domainid"))
	}
	name := c.str("account")
	if name == "" {
		name = c.str("username")
	}
	for _, a := range z.accounts {
		if a.Name == name && a.Domain == d && a.Removed.IsZero() {
			return nil, api.Invalid("The specified account: %s already exists", name)
		}
	}
	typ := c.integer("accounttype", 0)
	if typ < 0 || typ > 2 {
		return nil, api.Invalid("Unable to create account %s: account type %d is invalid", name, typ)
	}
	if err := z.freeUsername(c.str("username"), d); err != nil {
		return nil, err
	}
	a := &Account{UUID: z.uuid(), Name: name, Type: typ, Domain: d, State: "enabled", Created: z.now()}
	if err := z.insertAccount(c.ctx, a, nil); err != nil {
		return nil, err
	}
	z.accounts = append(z.accounts, a)
	u := newUser(z, c, a)
	c.eventResource, c.eventResourceType, c.target = a.ID, "Account", created{uuid: a.UUID, id: a.ID}
	if _, err := z.event(c.ctx, Event{Type: "USER.CREATE", Text: c.text("Successfully completed creating User"), User: callerOf(c), ResourceID: u.ID, ResourceType: "User", ResourceUUID: u.UUID}); err != nil {
		return nil, err
	}
	out := z.accountAnswer(a)
	keyAccess(z, c, out)
	return obj{"account": out}, nil
}

// keyAccess adds whether API keys are accepted, which only an admin is told.
func keyAccess(z *Zone, c *call, out obj) {
	if callerOf(c).Account.Type == 1 {
		z.laterField(out, "apikeyaccess", "INHERIT")
	}
}

func (z *Zone) freeUsername(name string, d *Domain) error {
	if slices.ContainsFunc(z.users, func(u *User) bool { return u.Username == name && u.Account.Domain == d && u.Removed.IsZero() }) {
		return api.Invalid("The user %s already exists in domain %d", name, d.ID)
	}
	return nil
}

func (z *Zone) roleFields(out obj, a *Account) {
	out["roleid"], out["roletype"], out["rolename"] = z.userRole, "User", "User"
	switch a.Type {
	case 1:
		out["roleid"], out["roletype"], out["rolename"] = z.adminRole, "Admin", "Root Admin"
	case 2:
		out["roletype"], out["rolename"] = "DomainAdmin", "Domain Admin"
	}
}

func (z *Zone) accountAnswer(a *Account) obj {
	users := []obj{}
	for _, u := range z.users {
		if u.Account == a && u.Removed.IsZero() {
			users = append(users, z.userAnswer(u, false))
		}
	}
	running, stopped := z.tenancyHooks.vms(a)
	out := obj{
		"id": a.UUID, "name": a.Name, "accounttype": a.Type, "domainid": a.Domain.UUID, "domain": a.Domain.Name, "domainpath": a.Domain.shown(),
		"vmstopped": stopped, "vmrunning": running, "state": a.State, "created": stamp(a.Created), "user": users, "isdefault": a.Default, "groups": []obj{},
	}
	z.limitFields(out, a, nil)
	z.roleFields(out, a)
	return out
}

func listAccounts(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, a := range z.accounts {
		if !a.Removed.IsZero() || a == z.system.Account || !visible(z, c, a) || c.has("id") && c.str("id") != a.UUID || c.has("name") && c.str("name") != a.Name ||
			c.has("state") && c.str("state") != a.State || c.has("accounttype") && c.str("accounttype") != strconv.Itoa(a.Type) || !matches(c.str("keyword"), a.Name) {
			continue
		}
		one := z.accountAnswer(a)
		keyAccess(z, c, one)
		out = append(out, one)
	}
	return c.page("account", out), nil
}

func checkAccount(z *Zone, c *call) error {
	a := z.accountByUUID(c.str("id"))
	if a == nil {
		return c.badEntity("id", c.str("id"))
	}
	c.eventResource, c.eventResourceType, c.target = a.ID, "Account", created{uuid: a.UUID, id: a.ID}
	if a.Default {
		return permission("The account '%s' is system account and can't be removed", a.Name)
	}
	return nil
}

func deleteAccount(z *Zone, c *call) (obj, error) {
	a := z.accountByUUID(c.str("id"))
	if a == nil || !a.Removed.IsZero() {
		return nil, api.Invalid("The account has already been removed.")
	}
	return obj{"success": true}, z.tenancyHooks.remove(c.ctx, a)
}
