package tenancy

import (
	"slices"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// KeyPair is one of several API keys of a user. The lab's tables have none of its kind, so that it lives in memory
// only.
type KeyPair struct {
	UUID, Name, Text  string
	APIKey, SecretKey string
	Created           time.Time
}

func keyPairCommands() []command {
	pair := param{Name: "keypairid", Type: "uuid", About: "ID of the key pair."}
	one := pair
	one.Required = true
	return []command{
		{
			Name: "listUserKeys", About: "Lists the API key pairs (API and secret keys) of a user.",
			With: release.KeyPairs, Params: kernel.ListParams(pair,
				param{Name: "userid", Type: "uuid:user", About: "ID of the user that owns the keys."}),
			Run: listPairs,
		},
		{
			Name: "deleteUserKeys", About: "Deletes a keypair from a user", With: release.KeyPairs,
			Event: "DELETE.USER.KEY", Eventful: kernel.EventSync, Action: "deleting API key pair",
			Params: []param{one}, Run: deletePair,
		},
	}
}

// addPair keeps the user's new keys beside the former ones.
func (mgr *Manager) addPair(c *kernel.Call, u *User) *KeyPair {
	p := &KeyPair{UUID: mgr.UUID(), Name: c.Str("name"), Text: c.Str("description"), APIKey: u.APIKey,
		SecretKey: u.SecretKey, Created: mgr.Now()}
	u.Pairs = append(u.Pairs, p)
	c.EventResource, c.EventResourceType = u.ID, "User"
	return p
}

// pairAnswer is a pair as ApiKeyPairResponse shows it (ApiResponseHelper.createKeyPairResponse@main).
func (mgr *Manager) pairAnswer(u *User, p *KeyPair) obj {
	a := u.Account
	out := obj{
		"id": p.UUID, "apikey": p.APIKey, "secretkey": p.SecretKey, "userid": u.UUID, "username": u.Username,
		"created": kernel.Stamp(p.Created), "state": "ENABLED", "accountid": a.UUID, "accountname": a.Name,
		"domainid": a.Domain.UUID, "domain": a.Domain.Name,
	}
	for name, text := range map[string]string{"name": p.Name, "description": p.Text} {
		if text != "" {
			out[name] = text
		}
	}
	mgr.DomainPath(out, a.Domain)
	mgr.roleFields(out, a)
	return out
}

func listPairs(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, u := range mgr.Users.All() {
		if c.Has("userid") && u.UUID != c.Str("userid") || !c.Has("userid") && u != Caller(c) && !c.Has("keypairid") ||
			MayUse(mgr, c, u.Account, "User") != nil {
			continue
		}
		for _, p := range u.Pairs {
			if !c.Has("keypairid") || p.UUID == c.Str("keypairid") {
				out = append(out, mgr.pairAnswer(u, p))
			}
		}
	}
	return c.Page("userapikey", out), nil
}

func deletePair(mgr *Manager, c *kernel.Call) (obj, error) {
	is := func(p *KeyPair) bool { return p.UUID == c.Str("keypairid") }
	for _, u := range mgr.Users.All() {
		if !slices.ContainsFunc(u.Pairs, is) {
			continue
		}
		if err := MayUse(mgr, c, u.Account, "User"); err != nil {
			return nil, err
		}
		u.Pairs = slices.DeleteFunc(u.Pairs, is)
		u.APIKey, u.SecretKey = "", ""
		if n := len(u.Pairs); n > 0 {
			u.APIKey, u.SecretKey = u.Pairs[n-1].APIKey, u.Pairs[n-1].SecretKey
		}
		c.EventResource, c.EventResourceType = u.ID, "User"
		return obj{"success": true}, nil
	}
	return nil, api.Invalid("No keypair found with the ID [%s].", c.Str("keypairid"))
}

// KeepKeys makes the user's keys the first of his pairs, as an upgrade names those that were there before.
func (u *User) KeepKeys(uuid string, at time.Time) {
	u.Pairs = []*KeyPair{{UUID: uuid, Name: "Active key pair", APIKey: u.APIKey, SecretKey: u.SecretKey, Created: at}}
}

// secretOf is the secret key that goes with an API key of the user; "" for none.
func (u *User) secretOf(apiKey string) string {
	if apiKey == "" {
		return ""
	}
	for _, p := range u.Pairs {
		if p.APIKey == apiKey {
			return p.SecretKey
		}
	}
	if u.APIKey == apiKey {
		return u.SecretKey
	}
	return ""
}
