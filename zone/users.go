package zone

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

func personParams() []param {
	return []param{{"username", "string", true, "Unique username."}, {"password", "string", true, "Clear text password."},
		{"email", "string", true, "email"}, {"firstname", "string", true, "firstname"}, {"lastname", "string", true, "lastname"},
		{"timezone", "string", false, "Specifies a timezone for this command."}}
}

func (z *Zone) userCommands() []command {
	return []command{
		{
			name: "createUser", about: "Creates a user for an account that already exists", admin: true, event: "USER.CREATE", eventful: eventSync, action: "creating User",
			params: append(personParams(), param{"account", "string", true, "Creates the user under the specified account."}, param{"domainid", "uuid:domain", false, "Creates the user under the specified domain."}),
			run:    createUser, detail: accountDetail,
		},
		{
			name: "listUsers", about: "Lists user accounts", params: listParams(param{"id", "uuid:user", false, "List user by ID."}, param{"username", "string", false, "List user by the username"},
				param{"state", "string", false, "List users by state of the user account."}, param{"accounttype", "long", false, "List users by account type."}),
			run: listUsers,
		},
		{
			name: "deleteUser", about: "Deletes a user for an account", admin: true, event: "USER.DELETE", eventful: eventSync, action: "deleting User",
			params: []param{{"id", "uuid:user", true, "id of the user to be deleted"}},
			run: func(z *Zone, c *call) (obj, error) {
				u := z.userByUUID(c.str("id"))
				if u.Account.Default {
					return nil, api.Invalid("The user is default and can't be removed")
				}
				u.Removed, u.State = z.now(), "removed"
				return obj{"success": true}, nil
			},
		},
		{
			name: "registerUserKeys", about: "This command allows a user to register for the developer API, returning a secret key and an API key.",
			event: "REGISTER.USER.KEY", eventful: eventSync, action: "register for the developer API keys",
			params: []param{{"id", "uuid:user", true, "User id"}}, run: registerKeys,
		},
		{
			name: "getUserKeys", about: "This command allows the user to query the seceret and API keys for the account",
			params: []param{{"id", "uuid:user", true, "ID of the user whose keys are required"}},
			run: func(z *Zone, c *call) (obj, error) {
				u := z.userByUUID(c.str("id"))
				if err := mayUse(z, c, u.Account, "User"); err != nil {
					return nil, err
				}
				keys := obj{"apikey": u.APIKey, "secretkey": u.SecretKey}
				z.laterField(keys, "apikeyaccess", "INHERIT")
				return obj{"userkeys": keys}, nil
			},
		},
	}
}

func newUser(z *Zone, c *call, a *Account) *User {
	z.ids["cloud.user"]++
	u := &User{ID: z.ids["cloud.user"], UUID: z.uuid(), Username: c.str("username"), Password: c.str("password"), FirstName: c.str("firstname"),
		LastName: c.str("lastname"), Email: c.str("email"), Account: a, Created: z.now(), State: "enabled"}
	z.users = append(z.users, u)
	return u
}

func createUser(z *Zone, c *call) (obj, error) {
	if !c.has("domainid") {
		c.params["domainid"] = callerOf(c).Account.Domain.UUID
	}
	a, err := ownerAccount(z, c)
	if err != nil {
		return nil, err
	}
	if err := z.freeUsername(c.str("username"), a.Domain); err != nil {
		return nil, err
	}
	return obj{"user": userAnswer(z, c, newUser(z, c, a))}, nil
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

func userAnswer(z *Zone, c *call, u *User) obj {
	return z.userAnswer(u, u.Account.Domain != callerOf(c).Account.Domain && z.within(u.Account.Domain, callerOf(c).Account.Domain.UUID))
}

func listUsers(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, u := range z.users {
		if !u.Removed.IsZero() || u == z.system || !visible(z, c, u.Account) || c.has("id") && c.str("id") != u.UUID || c.has("username") && c.str("username") != u.Username ||
			c.has("state") && c.str("state") != u.State || !matches(c.str("keyword"), u.Username) {
			continue
		}
		one := userAnswer(z, c, u)
		keyAccess(z, c, one)
		out = append(out, one)
	}
	return c.page("user", out), nil
}

func registerKeys(z *Zone, c *call) (obj, error) {
	u := z.userByUUID(c.str("id"))
	if u == z.system {
		return nil, permission("user id : %s is system account, update is not allowed", u.UUID)
	}
	if err := mayUse(z, c, u.Account, "User"); err != nil {
		return nil, err
	}
	u.APIKey, u.SecretKey = z.key(), z.key()
	c.eventResource, c.eventResourceType = u.ID, "User"
	return obj{"userkeys": obj{"apikey": u.APIKey, "secretkey": u.SecretKey}}, nil
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
