package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Kind is a kind of object, in the words of harness.Ledger.
type Kind string

// The kinds, in the order in which they can be removed: what holds another one comes first (facts of deletion:
// AutoScaleManagerImpl, LoadBalancingRulesManagerImpl, NetworkOrchestrator, AccountManagerImpl.java@4.20.0.0).
const (
	Group      Kind = "autoscale group"
	Policy     Kind = "autoscale policy"
	Profile    Kind = "autoscale profile"
	Condition  Kind = "condition"
	InternalLB Kind = "internal lb rule"
	LBRule     Kind = "lb rule"
	PFRule     Kind = "port forwarding rule"
	Firewall   Kind = "firewall rule"
	VM         Kind = "vm"
	Volume     Kind = "volume"
	VPNUser    Kind = "vpn user"
	Address    Kind = "address"
	Network    Kind = "network"
	VPC        Kind = "vpc"
	AccountObj Kind = "account"
	Domain     Kind = "domain"
)

// Project is removed with all that belongs to it, before the account that administers it.
const Project Kind = "project"

// source is how a kind is listed; paging and listall are added.
type source struct {
	kind    Kind
	command string
}

func sources() []source {
	return []source{
		{Project, "listProjects"},
		{Group, "listAutoScaleVmGroups"}, {Policy, "listAutoScalePolicies"}, {Profile, "listAutoScaleVmProfiles"},
		{Condition, "listConditions"}, {InternalLB, "listLoadBalancers"}, {LBRule, "listLoadBalancerRules"},
		{PFRule, "listPortForwardingRules"},
		{Firewall, "listFirewallRules"}, {VM, "listVirtualMachines"}, {Volume, "listVolumes"},
		{VPNUser, "listVpnUsers"},
		{Address, "listPublicIpAddresses"}, {Network, "listNetworks"}, {VPC, "listVPCs"}, {AccountObj, "listAccounts"},
		{Domain, "listDomains"},
	}
}

// Object is one object of the API's lists.
type Object struct {
	Kind     Kind
	ID       string
	Name     string
	Account  string // the owner's name
	DomainID string
	State    string
	// Source says that it is a source NAT address, which goes with its network or VPC.
	Source bool
	// Attached says that it is a volume of a VM.
	Attached bool
}

func (o Object) String() string {
	text := string(o.Kind) + " " + o.Name
	if o.Name == "" {
		text = string(o.Kind) + " " + o.ID
	} else if o.ID != "" {
		text += " (" + o.ID + ")"
	}
	if o.Account != "" && o.Kind != AccountObj {
		text += " of " + o.Account
	}
	return text
}

// answered are the fields of all kinds.
type answered struct {
	ID, Name, Username, IPAddress, Account, DomainID, State string
	IPAddressID, VirtualMachineID                           string
	IsSourceNAT                                             bool
	Owner                                                   []struct{ Account string } // of a project
}

// List lists everything that the administrator sees. A command that the server does not have (an older or narrower
// build) lists nothing.
func List(ctx context.Context, c *cloud.Client) ([]Object, error) {
	return ListOf(ctx, c, nil, Kinds()...)
}

// Kinds are all kinds, in the order in which they can be removed.
func Kinds() []Kind {
	all := make([]Kind, 0, len(sources()))
	for _, s := range sources() {
		all = append(all, s.kind)
	}
	return all
}

// together is how many lists are asked for at once.
const together = 4

// ListOf lists some kinds, as far as the filter lets through (domainid, account ...); domains are listed whatever it
// says. The order is that of Kinds.
func ListOf(ctx context.Context, c *cloud.Client, filter cloud.Params, kinds ...Kind) ([]Object, error) {
	chosen := slices.DeleteFunc(sources(), func(s source) bool { return !slices.Contains(kinds, s.kind) })
	lists := make([][]json.RawMessage, len(chosen))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, s := range chosen {
		group.Go(func() (err error) {
			narrowed := maps.Clone(filter)
			if s.kind == Domain {
				narrowed = nil
			}
			lists[i], err = c.All(gctx, s.command, narrowed)
			if cloud.IsUnsupported(err) || cloud.IsUnauthorized(err) && s.kind != AccountObj {
				return nil // an unknown command is refused with 432, or with 401 when it is signed
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("listing what there is: %w", err)
	}
	var all []Object
	addressOf := map[string]string{}
	for i, s := range chosen {
		for _, e := range lists[i] {
			var a answered
			if err := json.Unmarshal(e, &a); err != nil {
				return nil, fmt.Errorf("%s: an entry does not have the expected form: %w", s.command, err)
			}
			o := a.object(s.kind)
			if a.IPAddressID != "" && a.Account == "" {
				addressOf[o.ID] = a.IPAddressID
			}
			all = append(all, o)
		}
	}
	return owned(all, addressOf), nil
}

func (a answered) object(k Kind) Object {
	o := Object{Kind: k, ID: a.ID, Name: a.Name, Account: a.Account, DomainID: a.DomainID, State: a.State,
		Source: a.IsSourceNAT}
	switch k {
	case Address:
		o.Name = a.IPAddress
	case Volume:
		o.Attached = a.VirtualMachineID != ""
	case VPNUser:
		o.Name = a.Username
	case Domain:
		o.DomainID = ""
	case AccountObj:
		o.Account = a.Name
	case Project:
		if len(a.Owner) > 0 {
			o.Account = a.Owner[0].Account
		}
	}
	return o
}

// owned fills in the owners of rules whose answers name none: the address's owner (port forwarding and firewall rules).
func owned(all []Object, addressOf map[string]string) []Object {
	owners := map[string]Object{}
	for _, o := range all {
		if o.Kind == Address {
			owners[o.ID] = o
		}
	}
	for i, o := range all {
		if a, there := owners[addressOf[o.ID]]; there && o.Account == "" {
			all[i].Account, all[i].DomainID = a.Account, a.DomainID
			if o.Name == "" {
				all[i].Name = "on " + a.Name
			}
		}
	}
	return all
}

// Ours says whether an object is a run's, by the prefix of its name or of its account's name. An empty prefix owns
// nothing.
func Ours(prefix, name, account string) bool {
	return prefix != "" && (strings.HasPrefix(name, prefix+"-") || strings.HasPrefix(account, prefix+"-"))
}
