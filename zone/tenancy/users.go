package tenancy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

func personParams() []param {
	return []param{{Name: "username", Type: "string", Required: true, About: "Unique username."},
		{Name: "password", Type: "string", Required: true, About: "Clear text password."},
		{Name: "email", Type: "string", Required: true, About: "email"},
		{Name: "firstname", Type: "string", Required: true, About: "firstname"},
		{Name: "lastname", Type: "string", Required: true, About: "lastname"},
		{Name: "timezone", Type: "string", About: "Specifies a timezone for this command."}}
}

func userCommands() []command {
	return []command{
		{
			Name: "createUser", About: "Creates a user for an account that already exists", Admin: true,
			Event: "USER.CREATE", Eventful: kernel.EventSync, Action: "creating User",
			Params: append(personParams(), param{Name: "account", Type: "string", Required: true,
				About: "Creates the user under the specified account."},
				param{Name: "domainid", Type: "uuid:domain", About: "Creates the user under the specified domain."}),
			Run: createUser, Detail: accountDetail,
		},
		{
			Name: "listUsers", About: "Lists user accounts", Params: kernel.ListParams(param{Name: "id",
				Type: "uuid:user", About: "List user by ID."},
				param{Name: "username", Type: "string", About: "List user by the username"},
				param{Name: "state", Type: "string", About: "List users by state of the user account."},
				param{Name: "accounttype", Type: "long", About: "List users by account type."}),
			Run: listUsers,
		},
		{
			Name: "deleteUser", About: "Deletes a user for an account", Admin: true, Event: "USER.DELETE",
			Eventful: kernel.EventSync, Action: "deleting User",
			Params: []param{
				{Name: "id", Type: "uuid:user", Required: true, About: "id of the user to be deleted"},
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				u := mgr.UserByUUID(c.Str("id"))
				if u.Default {
					return nil, api.Invalid("The user is default and can't be removed")
				}
				u.Removed, u.State = mgr.Now(), "removed"
				return obj{"success": true}, nil
			},
		},
		{
			Name: "registerUserKeys", About: "This command allows a user to register for the developer API, " +
				"returning a secret key and an API key.",
			Event: "REGISTER.USER.KEY", Eventful: kernel.EventSync, Action: "register for the developer API keys",
			Params: []param{{Name: "id", Type: "uuid:user", Required: true, About: "User id"},
				{Name: "name", Type: "string", With: release.KeyPairs, About: "API key pair name."},
				{Name: "description", Type: "string", With: release.KeyPairs, About: "API key pair description."}},
			Run: registerKeys,
		},
		{
			Name: "getUserKeys", About: "This command allows the user to query the seceret and API keys for the " +
				"account",
			Params: []param{
				{Name: "id", Type: "uuid:user", Required: true, About: "ID of the user whose keys are required"},
			},
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				u := mgr.UserByUUID(c.Str("id"))
				if err := MayUse(mgr, c, u.Account, "User"); err != nil {
					return nil, err
				}
				keys := obj{}
				if u.APIKey != "" {
					keys["apikey"], keys["secretkey"] = u.APIKey, u.SecretKey
				}
				mgr.LaterField(keys, "apikeyaccess", true)
				return obj{"userkeys": keys}, nil
			},
		},
	}
}

func newUser(mgr *Manager, c *kernel.Call, a *Account) *User {
	u := &User{ID: mgr.NextID("cloud.user"), UUID: mgr.UUID(), Username: c.Str("username"),
		Password: c.Str("password"), FirstName: c.Str("firstname"),
		LastName: c.Str("lastname"), Email: c.Str("email"), Account: a, Created: mgr.Now(), State: "enabled"}
	mgr.Users.Add(u)
	return u
}

func createUser(mgr *Manager, c *kernel.Call) (obj, error) {
	if !c.Has("domainid") {
		c.Params["domainid"] = Caller(c).Account.Domain.UUID
	}
	a, err := OwnerAccount(mgr, c)
	if err != nil {
		return nil, err
	}
	if err := mgr.freeUsername(c.Str("username"), a.Domain); err != nil {
		return nil, err
	}
	return obj{"user": userAnswer(mgr, c, newUser(mgr, c, a))}, nil
}

func (mgr *Manager) userAnswer(u *User, child bool) obj {
	a := u.Account
	out := obj{
		"id": u.UUID, "username": u.Username, "firstname": u.FirstName, "lastname": u.LastName, "email": u.Email,
		"created": kernel.Stamp(u.Created), "state": u.State,
		"account": a.Name, "accounttype": a.Type, "usersource": "native", "domainid": a.Domain.UUID,
		"domain": a.Domain.Name, "accountid": a.UUID,
		"iscallerchilddomain": child, "isdefault": u.Default, "is2faenabled": false, "is2famandated": false,
	}
	if u.APIKey != "" {
		out["apikey"] = u.APIKey
	}
	mgr.roleFields(out, a)
	return out
}

func userAnswer(mgr *Manager, c *kernel.Call, u *User) obj {
	return mgr.userAnswer(u, u.Account.Domain != Caller(c).Account.Domain &&
		mgr.Within(u.Account.Domain, Caller(c).Account.Domain.UUID))
}

func listUsers(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, u := range mgr.Users.All() {
		if !u.Removed.IsZero() || u == mgr.System || !Visible(mgr, c, u.Account) || c.Has("id") &&
			c.Str("id") != u.UUID || c.Has("username") && c.Str("username") != u.Username ||
			c.Has("state") && c.Str("state") != u.State || !kernel.Matches(c.Str("keyword"), u.Username) {
			continue
		}
		one := userAnswer(mgr, c, u)
		keyAccess(mgr, c, one)
		out = append(out, one)
	}
	return c.Page("user", out), nil
}

func registerKeys(mgr *Manager, c *kernel.Call) (obj, error) {
	u := mgr.UserByUUID(c.Str("id"))
	if u == mgr.System {
		return nil, Permission("user id : %s is system account, update is not allowed", u.UUID)
	}
	if err := MayUse(mgr, c, u.Account, "User"); err != nil {
		return nil, err
	}
	if mgr.On(release.KeyPairs) && len(u.Pairs) == 0 && u.APIKey != "" { // from before an upgrade
		u.KeepKeys(mgr.UUID(), mgr.Now())
	}
	u.APIKey, u.SecretKey = mgr.Key(), mgr.Key()
	if mgr.On(release.KeyPairs) {
		return obj{"userkeys": mgr.pairAnswer(u, mgr.addPair(c, u))}, nil
	}
	c.EventResource, c.EventResourceType = u.ID, "User"
	return obj{"userkeys": obj{"apikey": u.APIKey, "secretkey": u.SecretKey}}, nil
}

// KeyOwner finds the user of an API key; disabled users and accounts have none.
func (mgr *Manager) KeyOwner(apiKey string) (login any, secret string, ok bool) {
	mgr.Lock()
	defer mgr.Unlock()
	for _, u := range mgr.Users.All() {
		if secret := u.secretOf(apiKey); secret != "" && u.usable() {
			return u, secret, true
		}
	}
	return nil, "", false
}

func (u *User) usable() bool {
	return u.Removed.IsZero() && u.State == "enabled" && u.Account.State == "enabled" && u.Account.Removed.IsZero()
}

// Login checks a password. Without a domain it is ROOT.
func (mgr *Manager) Login(username, password, domain, domainID string) (any, map[string]any, *api.Error) {
	mgr.Lock()
	defer mgr.Unlock()
	d := mgr.Domains.All()[0]
	if domainID != "" {
		if d = mgr.DomainByUUID(domainID); d == nil {
			return nil, nil, &api.Error{Code: api.CodeAccount, Text: "Unable to find the domain by id " + domainID}
		}
	} else if path := "/" + strings.Trim(domain, "/"); path != "/" {
		d, _ = kernel.Find(mgr.Domains.All(), path+"/", func(d *Domain) string { return d.Path })
		if d == nil {
			return nil, nil, &api.Error{Code: api.CodeAccount,
				Text: "Unable to find the domain from the path " + domain}
		}
	}
	for _, u := range mgr.Users.All() {
		if u.Username == username && u.Account.Domain == d && u.Password != "" && u.Password == password && u.usable() {
			registered := strconv.FormatBool(false)
			return u, obj{
				"username": u.Username, "userid": u.UUID, "domainid": d.UUID, "account": u.Account.Name,
				"firstname": u.FirstName, "lastname": u.LastName,
				"type": strconv.Itoa(u.Account.Type), "timezone": "UTC", "timezoneoffset": "0.0",
				"registered": registered, "is2faenabled": "false",
				"is2faverified": "true", "issuerfor2fa": "CloudStack",
			}, nil
		}
	}
	return nil, nil, &api.Error{Code: api.CodeAccount, Text: fmt.Sprintf("Failed to authenticate user %s in "+
		"domain %d; please provide valid credentials", username, d.ID)}
}
