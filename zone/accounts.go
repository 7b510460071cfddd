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
	names := []param{{"username", "string", true, "Unique username."}, {"password", "string", true, "Clear text password."},
		{"email", "string", true, "email"}, {"firstname", "string", true, "firstname"}, {"lastname", "string", true, "lastname"}, {"timezone", "string", false, "Specifies a timezone for this command."}}
	return []command{
		{
			name: "createAccount", about: "Creates an account", admin: true, event: "ACCOUNT.CREATE", eventful: eventSync, action: "creating Account",
			params: append(slices.Clone(names), param{"account", "string", false, "Name of the account to be created."}, param{"accounttype", "integer", false, "Type of the account. Specify 0 for user, 1 for root admin, and 2 for domain admin"},
				param{"domainid", "uuid:domain", false, "Creates the user under the specified domain."}, param{"roleid", "string", false, "Creates the account under the specified role."}),
			run: (*call).createAccount, detail: accountDetail,
		},
		{
			name: "listAccounts", about: "Lists accounts and provides detailed account information for listed accounts",
			params: listParams(param{"id", "uuid:account", false, "list account by account ID"}, param{"name", "string", false, "list account by account name"},
				param{"accounttype", "long", false, "list accounts by account type."}, param{"state", "string", false, "list accounts by state."}),
			run: (*call).listAccounts,
		},
		accountSwitch("enableAccount", "Enables an account", "enabled"), accountSwitch("disableAccount", "Disables an account", "disabled"),
		{
			name: "deleteAccount", about: "Deletes a account, and all users associated with this account", admin: true, class: adminClasses + "account.DeleteAccountCmd",
			kind: asyncCommand, instance: "Account", event: "ACCOUNT.DELETE", eventful: eventAsync, action: "deleting account",
			params: []param{{"id", "uuid:account", true, "Account id"}}, check: (*call).checkAccount, run: (*call).deleteAccount,
			describe: func(c *call) string {
				a := c.z.accountByUUID(c.str("id"))
				return fmt.Sprintf("Deleting user account %s (ID: %s) and all corresponding users", a.Name, a.UUID)
			},
			detail: func(c *call) string { return "Account ID: " + c.str("id") },
		},
		{
			name: "createUser", about: "Creates a user for an account that already exists", admin: true, event: "USER.CREATE", eventful: eventSync, action: "creating User",
			params: append(slices.Clone(names), param{"account", "string", true, "Creates the user under the specified account."}, param{"domainid", "uuid:domain", false, "Creates the user under the specified domain."}),
			run:    (*call).createUser, detail: accountDetail,
		},
		{
			name: "listUsers", about: "Lists user accounts", params: listParams(param{"id", "uuid:user", false, "List user by ID."}, param{"username", "string", false, "List user by the username"},
				param{"state", "string", false, "List users by state of the user account."}, param{"accounttype", "long", false, "List users by account type."}),
			run: (*call).listUsers,
		},
		{
			name: "deleteUser", about: "Deletes a user for an account", admin: true, event: "USER.DELETE", eventful: eventSync, action: "deleting User",
			params: []param{{"id", "uuid:user", true, "id of the user to be deleted"}},
			run: func(c *call) (obj, error) {
				u := c.z.userByUUID(c.str("id"))
				if u.Account.Default {
					return nil, api.Invalid("The user is default and can't be removed")
				}
				u.Removed, u.State = c.z.now(), "removed"
				return obj{"success": true}, nil
			},
		},
		{
			name: "registerUserKeys", about: "This command allows a user to register for the developer API, returning a secret key and an API key.",
			event: "REGISTER.USER.KEY", eventful: eventSync, action: "register for the developer API keys",
			params: []param{{"id", "uuid:user", true, "User id"}}, run: (*call).registerKeys,
		},
		{
			name: "getUserKeys", about: "This command allows the user to query the seceret and API keys for the account",
			params: []param{{"id", "uuid:user", true, "ID of the user whose keys are required"}},
			run: func(c *call) (obj, error) {
				u := c.z.userByUUID(c.str("id"))
				if err := c.mayUse(u.Account, "User"); err != nil {
					return nil, err
				}
				keys := obj{"apikey": u.APIKey, "secretkey": u.SecretKey}
				c.z.laterField(keys, "apikeyaccess", "INHERIT")
				return obj{"userkeys": keys}, nil
			},
		},
	}
}

func accountDetail(c *call) string {
	domain := int64(1)
	if d := c.z.domainByUUID(c.str("domainid")); d != nil {
		domain = d.ID
	}
	return fmt.Sprintf("Account Name: %s, Domain Id:%d", c.str("account"), domain)
}

func accountSwitch(name, about, state string) command {
	return command{
		name: name, about: about, admin: true, event: strings.ToUpper("account." + strings.TrimSuffix(state, "d")), eventful: eventSync, action: strings.TrimSuffix(state, "d") + " account",
		params: []param{{"id", "uuid:account", false, "Account id"}, {"account", "string", false, "the specified account."}, {"domainid", "uuid:domain", false, "the specified domain."}, {"lock", "boolean", false, "If true, only lock the account; else disable the account"}},
		run: func(c *call) (obj, error) {
			a := c.z.accountByUUID(c.str("id"))
			if a == nil {
				var err error
				if a, err = c.ownerAccount(); err != nil {
					return nil, err
				}
			}
			a.State = state
			if err := c.z.update(c.ctx, "cloud.account", a.ID, obj{"state": state}); err != nil {
				return nil, err
			}
			return obj{"account": c.z.accountAnswer(a)}, nil
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

func (c *call) createAccount() (obj, error) {
	z := c.z
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
	u := c.newUser(a)
	c.eventResource, c.eventResourceType, c.target = a.ID, "Account", created{uuid: a.UUID, id: a.ID}
	if _, err := z.event(c.ctx, Event{Type: "USER.CREATE", Text: c.text("Successfully completed creating User"), User: c.caller, ResourceID: u.ID, ResourceType: "User", ResourceUUID: u.UUID}); err != nil {
		return nil, err
	}
	out := z.accountAnswer(a)
	c.keyAccess(out)
	return obj{"account": out}, nil
}

// keyAccess adds whether API keys are accepted, which only an admin is told.
func (c *call) keyAccess(out obj) {
	if c.caller.Account.Type == 1 {
		c.z.laterField(out, "apikeyaccess", "INHERIT")
	}
}

func (z *Zone) freeUsername(name string, d *Domain) error {
	if slices.ContainsFunc(z.users, func(u *User) bool { return u.Username == name && u.Account.Domain == d && u.Removed.IsZero() }) {
		return api.Invalid("The user %s already exists in domain %d", name, d.ID)
	}
	return nil
}

func (c *call) newUser(a *Account) *User {
	z := c.z
	z.ids["cloud.user"]++
	u := &User{ID: z.ids["cloud.user"], UUID: z.uuid(), Username: c.str("username"), Password: c.str("password"), FirstName: c.str("firstname"),
		LastName: c.str("lastname"), Email: c.str("email"), Account: a, Created: z.now(), State: "enabled"}
	z.users = append(z.users, u)
	return u
}

func (c *call) createUser() (obj, error) {
	if !c.has("domainid") {
		c.params["domainid"] = c.caller.Account.Domain.UUID
	}
	a, err := c.ownerAccount()
	if err != nil {
		return nil, err
	}
	if err := c.z.freeUsername(c.str("username"), a.Domain); err != nil {
		return nil, err
	}
	return obj{"user": c.userAnswer(c.newUser(a))}, nil
}

func (z *Zone) roleFields(out obj, a *Account) {
	out["roleid"], out["roletype"], out["rolename"] = z.site.UserRole, "User", "User"
	if a.Type == 1 {
		out["roleid"], out["roletype"], out["rolename"] = z.site.AdminRole, "Admin", "Root Admin"
	} else if a.Type == 2 {
		out["roletype"], out["rolename"] = "DomainAdmin", "Domain Admin"
	}
}

func (z *Zone) userAnswer(u *User, child bool) obj {
	a := u.Account
	out := obj{
		"id": u.UUID, "username": u.Username, "firstname": u.FirstName, "lastname": u.LastName, "email": u.Email, "created": stamp(u.Created), "state": u.State,
		"account": a.Name, "accounttype": a.Type, "usersource": "native", "domainid": a.Domain.UUID, "domain": a.Domain.Name, "accountid": a.UUID,
		"iscallerchilddomain": child, "isdefault": a.Default, "is2faenabled": false, "is2famandated": false,
	}
	if u.APIKey != "" {
		out["apikey"] = u.APIKey
	}
	z.roleFields(out, a)
	return out
}

func (c *call) userAnswer(u *User) obj {
	return c.z.userAnswer(u, u.Account.Domain != c.caller.Account.Domain && c.z.within(u.Account.Domain, c.caller.Account.Domain.UUID))
}

func (z *Zone) accountAnswer(a *Account) obj {
	users := []obj{}
	for _, u := range z.users {
		if u.Account == a && u.Removed.IsZero() {
			users = append(users, z.userAnswer(u, false))
		}
	}
	stopped, running := 0, 0
	for _, vm := range z.vms {
		if vm.Account == a && vm.Removed.IsZero() {
			switch vm.State {
			case "Running":
				running++
			case "Stopped":
				stopped++
			}
		}
	}
	out := obj{
		"id": a.UUID, "name": a.Name, "accounttype": a.Type, "domainid": a.Domain.UUID, "domain": a.Domain.Name, "domainpath": a.Domain.shown(),
		"vmstopped": stopped, "vmrunning": running, "state": a.State, "created": stamp(a.Created), "user": users, "isdefault": a.Default, "groups": []obj{},
	}
	z.limitFields(out, a)
	z.roleFields(out, a)
	return out
}

func (c *call) listAccounts() (obj, error) {
	var out []obj
	for _, a := range c.z.accounts {
		if !a.Removed.IsZero() || a == c.z.system.Account || !c.visible(a) || c.has("id") && c.str("id") != a.UUID || c.has("name") && c.str("name") != a.Name ||
			c.has("state") && c.str("state") != a.State || c.has("accounttype") && c.str("accounttype") != strconv.Itoa(a.Type) || !matches(c.str("keyword"), a.Name) {
			continue
		}
		one := c.z.accountAnswer(a)
		c.keyAccess(one)
		out = append(out, one)
	}
	return c.page("account", out), nil
}

func (c *call) listUsers() (obj, error) {
	var out []obj
	for _, u := range c.z.users {
		if !u.Removed.IsZero() || u == c.z.system || !c.visible(u.Account) || c.has("id") && c.str("id") != u.UUID || c.has("username") && c.str("username") != u.Username ||
			c.has("state") && c.str("state") != u.State || !matches(c.str("keyword"), u.Username) {
			continue
		}
		one := c.userAnswer(u)
		c.keyAccess(one)
		out = append(out, one)
	}
	return c.page("user", out), nil
}

func (c *call) registerKeys() (obj, error) {
	u := c.z.userByUUID(c.str("id"))
	if u == c.z.system {
		return nil, permission("user id : %s is system account, update is not allowed", u.UUID)
	}
	if err := c.mayUse(u.Account, "User"); err != nil {
		return nil, err
	}
	u.APIKey, u.SecretKey = c.z.key(), c.z.key()
	c.eventResource, c.eventResourceType = u.ID, "User"
	return obj{"userkeys": obj{"apikey": u.APIKey, "secretkey": u.SecretKey}}, nil
}

func (c *call) checkAccount() error {
	a := c.z.accountByUUID(c.str("id"))
	if a == nil {
		return c.badEntity("id", c.str("id"))
	}
	c.eventResource, c.eventResourceType, c.target = a.ID, "Account", created{uuid: a.UUID, id: a.ID}
	if a.Default {
		return permission("The account '%s' is system account and can't be removed", a.Name)
	}
	return nil
}

func (c *call) deleteAccount() (obj, error) {
	a := c.z.accountByUUID(c.str("id"))
	if a == nil || !a.Removed.IsZero() {
		return nil, api.Invalid("The account has already been removed.")
	}
	return obj{"success": true}, c.z.removeAccount(c.ctx, a)
}

// KeyOwner finds the user of an API key; disabled users and accounts have none.
func (z *Zone) KeyOwner(apiKey string) (login any, secret string, ok bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, u := range z.users {
		if apiKey != "" && u.APIKey == apiKey && u.usable() {
			return u, u.SecretKey, true
		}
	}
	return nil, "", false
}

func (u *User) usable() bool {
	return u.Removed.IsZero() && u.State == "enabled" && u.Account.State == "enabled" && u.Account.Removed.IsZero()
}

// Login checks a password. Without a domain it is ROOT.
func (z *Zone) Login(username, password, domain, domainID string) (any, map[string]any, *api.Error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	d := z.domains[0]
	if domainID != "" {
		if d = z.domainByUUID(domainID); d == nil {
			return nil, nil, &api.Error{Code: api.CodeAccount, Text: "Unable to find the domain by id " + domainID}
		}
	} else if path := "/" + strings.Trim(domain, "/"); path != "/" {
		d, _ = find(z.domains, path+"/", func(d *Domain) string { return d.Path })
		if d == nil {
			return nil, nil, &api.Error{Code: api.CodeAccount, Text: "Unable to find the domain from the path " + domain}
		}
	}
	for _, u := range z.users {
		if u.Username == username && u.Account.Domain == d && u.Password != "" && u.Password == password && u.usable() {
			registered := strconv.FormatBool(false)
			return u, obj{
				"username": u.Username, "userid": u.UUID, "domainid": d.UUID, "account": u.Account.Name, "firstname": u.FirstName, "lastname": u.LastName,
				"type": strconv.Itoa(u.Account.Type), "timezone": "UTC", "timezoneoffset": "0.0", "registered": registered, "is2faenabled": "false",
				"is2faverified": "true", "issuerfor2fa": "CloudStack",
			}, nil
		}
	}
	return nil, nil, &api.Error{Code: api.CodeAccount, Text: fmt.Sprintf("Failed to authenticate user %s in domain %d; please provide valid credentials", username, d.ID)}
}

// Version is the release.
func (z *Zone) Version() string { return z.opts.Release }
