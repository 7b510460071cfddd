package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

func accountCommands() []command {
	return []command{
		{
			Name: "createAccount", About: "Creates an account", Admin: true, Event: "ACCOUNT.CREATE",
			Eventful: kernel.EventSync, Action: "creating Account",
			Params: append(personParams(), param{Name: "account", Type: "string", About: "Name of the account to " +
				"be created."},
				param{Name: "accounttype", Type: "integer", About: "Type of the account. Specify 0 for user, 1 " +
					"for root admin, and 2 for domain admin"},
				param{Name: "domainid", Type: "uuid:domain", About: "Creates the user under the specified domain."},
				param{Name: "roleid", Type: "string", About: "Creates the account under the specified role."}),
			Run: createAccount, Detail: accountDetail,
		},
		{
			Name: "listAccounts", About: "Lists accounts and provides detailed account information for listed accounts",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:account", About: "list account by account ID"},
				param{Name: "name", Type: "string", About: "list account by account name"},
				param{Name: "accounttype", Type: "long", About: "list accounts by account type."},
				param{Name: "state", Type: "string", About: "list accounts by state."}),
			Run: listAccounts,
		},
		accountSwitch("enableAccount", "Enables an account", "enabled"),
		disableAccountCommand(),
		{
			Name: "deleteAccount", About: "Deletes a account, and all users associated with this account",
			Admin: true, Class: kernel.AdminClasses + "account.DeleteAccountCmd",
			Kind: kernel.AsyncCommand, Instance: "Account", Event: "ACCOUNT.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting account",
			Params: []param{{Name: "id", Type: "uuid:account", Required: true, About: "Account id"}},
			Check:  checkAccount, Run: deleteAccount,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				a := mgr.AccountByUUID(c.Str("id"))
				return fmt.Sprintf("Deleting user account %s (ID: %s) and all corresponding users", a.Name, a.UUID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return "Account ID: " + c.Str("id") },
		},
	}
}

func accountDetail(mgr *Manager, c *kernel.Call) string {
	domain := int64(1)
	if d := mgr.DomainByUUID(c.Str("domainid")); d != nil {
		domain = d.ID
	}
	return fmt.Sprintf("Account Name: %s, Domain Id:%d", c.Str("account"), domain)
}

// disableAccountCommand is a job, unlike its opposite (DisableAccountCmd.java@4.20.1.0).
func disableAccountCommand() command {
	c := accountSwitch("disableAccount", "Disables an account", "disabled")
	c.Kind, c.Class, c.Instance = kernel.AsyncCommand, kernel.AdminClasses+"account.DisableAccountCmd", "Account"
	c.Eventful, c.Action = kernel.EventAsync, "disabling account"
	c.Describe = func(*Manager, *kernel.Call) string { return "disabling account" }
	return c
}

func accountSwitch(name, about, state string) command {
	return command{
		Name: name, About: about, Admin: true, Event: strings.ToUpper("account." + strings.TrimSuffix(state, "d")),
		Eventful: kernel.EventSync, Action: strings.TrimSuffix(state, "d") + " account",
		Params: []param{{Name: "id", Type: "uuid:account", About: "Account id"},
			{Name: "account", Type: "string", About: "the specified account."},
			{Name: "domainid", Type: "uuid:domain", About: "the specified domain."},
			{Name: "lock", Type: "boolean", About: "If true, only lock the account; else disable the account"}},
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			a := mgr.AccountByUUID(c.Str("id"))
			if a == nil {
				var err error
				if a, err = OwnerAccount(mgr, c); err != nil {
					return nil, err
				}
			}
			a.State = state
			if err := mgr.Update(c.Ctx, "cloud.account", a.ID, obj{"state": state}); err != nil {
				return nil, err
			}
			return obj{"account": mgr.accountAnswer(a)}, nil
		},
	}
}

// InsertAccount mirrors an account; more adds columns.
func (mgr *Manager) InsertAccount(ctx context.Context, a *Account, more obj) error {
	row := obj{"account_name": a.Name, "uuid": a.UUID, "type": a.Type, "domain_id": a.Domain.ID, "state": a.State,
		"created": a.Created, "role_id": 4}
	if a.Type == 1 {
		row["role_id"] = 1
	}
	for k, v := range more {
		row[k] = v
	}
	id, err := mgr.Insert(ctx, "cloud.account", row)
	if a.ID == 0 {
		a.ID = id
	}
	return err
}

func createAccount(mgr *Manager, c *kernel.Call) (obj, error) {
	d := mgr.Domains.All()[0]
	if c.Has("domainid") {
		d = mgr.DomainByUUID(c.Str("domainid"))
	}
	name := c.Str("account")
	if name == "" {
		name = c.Str("username")
	}
	for _, a := range mgr.Accounts.All() {
		if a.Name == name && a.Domain == d && a.Removed.IsZero() {
			return nil, api.Invalid("The specified account: %s already exists", name)
		}
	}
	typ := c.Integer("accounttype", 0)
	if typ < 0 || typ > 2 {
		return nil, api.Invalid("Unable to create account %s: account type %d is invalid", name, typ)
	}
	if err := mgr.freeUsername(c.Str("username"), d); err != nil {
		return nil, err
	}
	a := &Account{UUID: mgr.UUID(), Name: name, Type: typ, Domain: d, State: "enabled", Created: mgr.Now()}
	if err := mgr.InsertAccount(c.Ctx, a, nil); err != nil {
		return nil, err
	}
	mgr.Accounts.Add(a)
	u := newUser(mgr, c, a)
	c.EventResource, c.EventResourceType, c.Target = a.ID, "Account", kernel.Created{UUID: a.UUID, ID: a.ID}
	if _, err := mgr.Event(c.Ctx, kernel.Event{Type: "USER.CREATE", Text: c.Text("Successfully completed " +
		"creating User"), User: Caller(c), ResourceID: u.ID, ResourceType: "User", ResourceUUID: u.UUID}); err != nil {
		return nil, err
	}
	out := mgr.accountAnswer(a)
	keyAccess(mgr, c, out)
	return obj{"account": out}, nil
}

// keyAccess adds whether API keys are accepted, which only an admin is told.
func keyAccess(mgr *Manager, c *kernel.Call, out obj) {
	if Caller(c).Account.Type == 1 {
		mgr.LaterField(out, "apikeyaccess", "INHERIT")
	}
}

func (mgr *Manager) freeUsername(name string, d *Domain) error {
	if slices.ContainsFunc(mgr.Users.All(), func(u *User) bool {
		return u.Username == name && u.Account.Domain == d &&
			u.Removed.IsZero()
	}) {
		return api.Invalid(
			"The user %s already exists in domain %s",
			name,
			mgr.ObjectText(kernel.LongText(d.ID), "Domain",
				"id", d.ID, "name", d.Name, "path", d.Path, "uuid", d.UUID),
		)
	}
	return nil
}

func (mgr *Manager) roleFields(out obj, a *Account) {
	out["roleid"], out["roletype"], out["rolename"] = mgr.UserRole, "User", "User"
	switch a.Type {
	case 1:
		out["roleid"], out["roletype"], out["rolename"] = mgr.AdminRole, "Admin", "Root Admin"
	case 2:
		out["roletype"], out["rolename"] = "DomainAdmin", "Domain Admin"
	}
}

func (mgr *Manager) accountAnswer(a *Account) obj {
	users := []obj{}
	for _, u := range mgr.Users.All() {
		if u.Account == a && u.Removed.IsZero() {
			users = append(users, mgr.userAnswer(u, false))
		}
	}
	running, stopped := mgr.Hooks.VMs(a)
	out := obj{
		"id": a.UUID, "name": a.Name, "accounttype": a.Type, "domainid": a.Domain.UUID, "domain": a.Domain.Name,
		"domainpath": a.Domain.Shown(),
		"vmstopped":  stopped, "vmrunning": running, "state": a.State, "created": kernel.Stamp(a.Created),
		"user": users, "isdefault": a.Default, "groups": []obj{},
	}
	mgr.limitFields(out, a, nil)
	mgr.roleFields(out, a)
	return out
}

func listAccounts(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, a := range mgr.Accounts.All() {
		if !a.Removed.IsZero() || a == mgr.System.Account || a.Type == ProjectAccount || !Visible(mgr, c, a) ||
			c.Has("id") && c.Str("id") != a.UUID || c.Differs("name", a.Name) ||
			c.Has("state") && c.Str("state") != a.State || c.Has("accounttype") &&
			c.Str("accounttype") != strconv.Itoa(a.Type) || !kernel.Matches(c.Str("keyword"), a.Name) {
			continue
		}
		one := mgr.accountAnswer(a)
		keyAccess(mgr, c, one)
		out = append(out, one)
	}
	return c.Page("account", out), nil
}

func checkAccount(mgr *Manager, c *kernel.Call) error {
	a := mgr.AccountByUUID(c.Str("id"))
	if a == nil {
		return c.BadEntity("id", c.Str("id"))
	}
	c.EventResource, c.EventResourceType, c.Target = a.ID, "Account", kernel.Created{UUID: a.UUID, ID: a.ID}
	if a.Default {
		return Permission("The account '%s' is system account and can't be removed", a.Name)
	}
	return nil
}

func deleteAccount(mgr *Manager, c *kernel.Call) (obj, error) {
	a := mgr.AccountByUUID(c.Str("id"))
	if a == nil || !a.Removed.IsZero() {
		return nil, api.Invalid("The account has already been removed.")
	}
	if ids := mgr.managed(a); len(ids) > 0 {
		return nil, api.Invalid("The account id=%d manages project(s) with ids %v and can't be removed", a.ID, ids)
	}
	return obj{"success": true}, mgr.Hooks.Remove(c.Ctx, a)
}
