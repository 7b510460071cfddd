package cloud

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// CreateDomain creates a domain; the parent is ROOT when empty.
func (c *Client) CreateDomain(ctx context.Context, name, parentID string) (*Domain, error) {
	look := lookFor(c.ListDomains, Params{"name": name}, func(d *Domain) (string, bool) {
		return d.Id, d.Name == name && (parentID == "" || d.Parentdomainid == parentID)
	})
	return createNow(ctx, c, "createDomain", Params{"name": name}.set("parentdomainid", parentID), look,
		one(c.ListDomains, "listDomains", "id"))
}

// DeleteDomain deletes a domain; cleanup deletes what is in it.
func (c *Client) DeleteDomain(ctx context.Context, id string, cleanup bool) error {
	return c.finish(ctx, "deleteDomain", id, Params{"cleanup": cleanup})
}

// AccountSpec is what createAccount takes: an account with one user of the same name.
type AccountSpec struct {
	Name, DomainID, Password, Email string
	// Type is 0 user, 1 root administrator, 2 domain administrator.
	Type int
}

// CreateAccount creates an account. The command is synchronous; the account's User list holds its user.
func (c *Client) CreateAccount(ctx context.Context, s AccountSpec) (*Account, error) {
	p := Params{"account": s.Name, "username": s.Name, "firstname": s.Name, "lastname": s.Name, "password": s.Password,
		"email": s.Email, "accounttype": s.Type}
	p.set("domainid", s.DomainID)
	look := lookFor(c.ListAccounts, Params{"name": s.Name}.set("domainid", s.DomainID),
		func(a *Account) (string, bool) { return a.Id, a.Name == s.Name })
	return createNow(ctx, c, "createAccount", p, look, one(c.ListAccounts, "listAccounts", "id"))
}

// DeleteAccount deletes an account with all that it owns.
func (c *Client) DeleteAccount(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteAccount", id, nil)
}

// Keys are a user's key pair.
type Keys struct {
	APIKey    string `json:"apikey"`
	SecretKey string `json:"secretkey"`
}

// RegisterUserKeys makes a new key pair for a user; an older one stops working.
func (c *Client) RegisterUserKeys(ctx context.Context, userID string) (Keys, error) {
	var k Keys
	err := c.object(ctx, "registerUserKeys", Params{"id": userID}, &k)
	if err == nil && c.trace != nil {
		c.trace.hide(k.APIKey, k.SecretKey)
	}
	return k, err
}

// UpdateConfiguration sets a global setting.
func (c *Client) UpdateConfiguration(ctx context.Context, name, value string) (*Configuration, error) {
	var conf Configuration
	if err := c.object(ctx, "updateConfiguration", Params{"name": name, "value": value}, &conf); err != nil {
		return nil, err
	}
	return &conf, nil
}

// VirtualMachineSpec is what deployVirtualMachine takes.
type VirtualMachineSpec struct {
	Owner
	Name, ZoneID, ServiceOfferingID, TemplateID string // the name is unique for the account
	NetworkIDs                                  []string
}

// DeployVirtualMachine starts the deployment of a VM.
func (c *Client) DeployVirtualMachine(ctx context.Context, s VirtualMachineSpec) (*Creating[VirtualMachine], error) {
	p := s.params(Params{"zoneid": s.ZoneID, "serviceofferingid": s.ServiceOfferingID, "templateid": s.TemplateID})
	p.set("name", s.Name).set("networkids", s.NetworkIDs)
	var look Look
	if s.Name != "" {
		look = lookFor(c.ListVirtualMachines, s.params(Params{"name": s.Name}), func(v *VirtualMachine) (string,
			bool) {
			return v.Id, v.Name == s.Name
		})
	}
	return create(ctx, c, "deployVirtualMachine", p, look, one(c.ListVirtualMachines, "listVirtualMachines", "id"))
}

// StartVirtualMachine starts a VM.
func (c *Client) StartVirtualMachine(ctx context.Context, id string) (*VirtualMachine, error) {
	return changed[VirtualMachine](ctx, c, "startVirtualMachine", id, nil)
}

// StopVirtualMachine stops a VM; its router is not told.
func (c *Client) StopVirtualMachine(ctx context.Context, id string) (*VirtualMachine, error) {
	return changed[VirtualMachine](ctx, c, "stopVirtualMachine", id, nil)
}

// DestroyVirtualMachine destroys a VM; without expunge it can be recovered until the expunge delay has passed.
func (c *Client) DestroyVirtualMachine(ctx context.Context, id string, expunge bool) error {
	return c.finish(ctx, "destroyVirtualMachine", id, Params{"expunge": expunge})
}

// ExpungeVirtualMachine removes a destroyed VM for good.
func (c *Client) ExpungeVirtualMachine(ctx context.Context, id string) error {
	return c.finish(ctx, "expungeVirtualMachine", id, nil)
}

// Resource types that may be limited (api/src/main/java/com/cloud/configuration/Resource.java@4.20.0.0).
const (
	limitVM             = 0
	limitAddress        = 1
	limitVolume         = 2
	limitNetwork        = 6
	limitVPC            = 7
	limitCPU            = 8
	limitMemory         = 9
	limitPrimaryStorage = 10
)

// LiftLimits takes the limits away from a domain, or from an account of it. A new account may have 20 instances,
// addresses, networks and VPCs, and all accounts of a domain together 40 (max.account.*, max.domain.*,
// Config.java@4.20.0.0).
//
// A paced client sends them side by side: each waits for the server's answer and for no other.
func (c *Client) LiftLimits(ctx context.Context, domainID, account string) error {
	types := []int{limitVM, limitAddress, limitVolume, limitNetwork, limitVPC, limitCPU, limitMemory,
		limitPrimaryStorage}
	group := errgroup.Group{}
	group.SetLimit(1) // in order, so that a seed reproduces the run
	if c.pace != nil {
		group.SetLimit(len(types))
	}
	for _, typ := range types {
		group.Go(func() error {
			p := Params{"resourcetype": typ, "max": -1}.set("domainid", domainID).set("account", account)
			if err := c.Change(ctx, "updateResourceLimit", p, nil); err != nil {
				return fmt.Errorf("lifting the limit of resource type %d: %w", typ, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Setting reads a global setting; found is false where the server does not list it.
func (c *Client) Setting(ctx context.Context, name string) (value string, found bool, err error) {
	all, err := c.ListConfigurations(ctx, Params{"name": name})
	for _, one := range all {
		if one.Name == name {
			return one.Value, true, nil
		}
	}
	return "", false, err
}
