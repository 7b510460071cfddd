package room

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// Takes is what scenarios take of a zone at once.
type Takes struct{ VMs, Addresses, Networks, VPCs int }

// Plus is what both take together.
func (l Takes) Plus(o Takes) Takes {
	return Takes{l.VMs + o.VMs, l.Addresses + o.Addresses, l.Networks + o.Networks, l.VPCs + o.VPCs}
}

// AtLeast is the larger of each.
func (l Takes) AtLeast(o Takes) Takes {
	return Takes{max(l.VMs, o.VMs), max(l.Addresses, o.Addresses), max(l.Networks, o.Networks), max(l.VPCs, o.VPCs)}
}

// Populations is the scenario whose accounts are as large as the zone allows; each population has an account of its
// own.
const Populations = "L-04"

// LoadOf is what a scenario takes in its largest account, and in all of them.
func LoadOf(id string, groups []int) (account, all Takes) {
	if id != Populations {
		account, all = usual()
		return account.AtLeast(large()[id]), all.AtLeast(large()[id])
	}
	for _, n := range groups {
		one := Takes{2*n + 2, 2, 1, 1} // two of the rule beside the groups
		account, all = account.AtLeast(one), all.Plus(one)
	}
	return account, all
}

// quota is a kind of thing that accounts and domains may have so many of (max.account.*, max.domain.*,
// Config.java@4.20.0.0).
type quota struct {
	setting string // behind max.account. and max.domain.
	what    string
	of      func(Takes) int
}

func quotas() []quota {
	vms := func(l Takes) int { return l.VMs }
	return []quota{
		{"user.vms", "instances", vms}, {"public.ips", "public addresses", func(l Takes) int { return l.Addresses }},
		{"volumes", "volumes", vms}, // a root disk each
		{"networks", "networks", func(l Takes) int { return l.Networks }},
		{"vpcs", "VPCs", func(l Takes) int { return l.VPCs }},
		{"cpus", "CPUs", vms}, // one each at least
	}
}

// The owners of limits, as their settings are called.
const (
	ofAccount = "account"
	ofDomain  = "domain"
)

// shortage is a limit that the chosen scenarios do not keep within.
type shortage struct {
	quota
	owner      string
	has, needs int
}

func (s shortage) String() string {
	return fmt.Sprintf("%s: %s may have %d (max.%s.%s), the run takes up to %d", s.what,
		map[string]string{ofAccount: "an account", ofDomain: "a domain"}[s.owner],
		s.has, s.owner, s.setting, s.needs)
}

const raising = "raise the setting and restart the management server, let the run lift the limits of its own domain " +
	"and accounts (without --keep-limits), or choose fewer scenarios (--scenario, --groups)"

// readLimits gives the limits that a new account and a new domain below ROOT will have, by setting; -1 is none. A
// server that does not list a setting is believed to have no limit.
func (r *Room) readLimits(ctx context.Context) (map[string]int, error) {
	limits := map[string]int{}
	for _, owner := range []string{ofAccount, ofDomain} {
		all, err := r.Cloud.ListConfigurations(ctx, cloud.Params{"keyword": "max." + owner + ".", "page": 1,
			"pagesize": 100})
		if err != nil {
			return nil, fmt.Errorf("asking for the limits of new accounts and domains: %w", err)
		}
		for _, c := range all {
			if n, err := strconv.Atoi(strings.TrimSpace(c.Value)); err == nil {
				limits[c.Name] = n
			}
		}
	}
	return limits, nil
}

// short compares limits with what the scenarios take.
func short(limits map[string]int, chosen harness.Catalogue, groups []int) (all []shortage) {
	var account, domain Takes
	for _, s := range chosen {
		one, sum := LoadOf(s.ID, groups)
		account, domain = account.AtLeast(one), domain.Plus(sum)
	}
	for _, q := range quotas() {
		for owner, needs := range map[string]int{ofAccount: q.of(account), ofDomain: q.of(domain)} {
			if has, known := limits["max."+owner+"."+q.setting]; known && has >= 0 && has < needs {
				all = append(all, shortage{q, owner, has, needs})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b shortage) int { return strings.Compare(a.owner, b.owner) })
	return all
}

// Limits compares the limits of new accounts and domains with what the scenarios take, where the limits are kept.
func (r *Room) Limits(ctx context.Context, chosen harness.Catalogue) (lines []string, err error) {
	if !r.Config.KeepLimits {
		return []string{"the resource limits of the run's own domain and accounts are lifted (--keep-limits leaves " +
			"them)"}, nil
	}
	limits, err := r.readLimits(ctx)
	if err != nil {
		return nil, err
	}
	groups := r.Groups(len(chosen))
	if groups == nil {
		groups = harness.DefaultGroups()
	}
	var refused []error
	for _, s := range short(limits, chosen, groups) {
		refused = append(refused, fmt.Errorf("%s: %s", s, raising))
	}
	return []string{"the resource limits of new accounts and domains allow for it"}, errors.Join(refused...)
}
