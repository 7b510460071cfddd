package existing

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

// takes is what scenarios take of a zone at once.
type takes struct{ vms, addresses, networks, vpcs int }

func (l takes) plus(o takes) takes {
	return takes{l.vms + o.vms, l.addresses + o.addresses, l.networks + o.networks, l.vpcs + o.vpcs}
}

func (l takes) atLeast(o takes) takes {
	return takes{max(l.vms, o.vms), max(l.addresses, o.addresses), max(l.networks, o.networks), max(l.vpcs, o.vpcs)}
}

// populations is the scenario whose accounts are as large as the zone allows; each population has an account of its
// own.
const populations = "L-04"

// loadOf is what a scenario takes in its largest account, and in all of them.
func loadOf(id string, groups []int) (account, all takes) {
	if id != populations {
		return takes{4, 4, 3, 2}, takes{4, 5, 3, 2}
	}
	for _, n := range groups {
		one := takes{2*n + 2, 2, 1, 1} // two of the rule beside the groups
		account, all = account.atLeast(one), all.plus(one)
	}
	return account, all
}

// quota is a kind of thing that accounts and domains may have so many of (max.account.*, max.domain.*,
// Config.java@4.20.0.0).
type quota struct {
	setting string // behind max.account. and max.domain.
	what    string
	of      func(takes) int
}

func quotas() []quota {
	vms := func(l takes) int { return l.vms }
	return []quota{
		{"user.vms", "instances", vms}, {"public.ips", "public addresses", func(l takes) int { return l.addresses }},
		{"volumes", "volumes", vms}, // a root disk each
		{"networks", "networks", func(l takes) int { return l.networks }},
		{"vpcs", "VPCs", func(l takes) int { return l.vpcs }},
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
func (t *Target) readLimits(ctx context.Context) (map[string]int, error) {
	limits := map[string]int{}
	for _, owner := range []string{ofAccount, ofDomain} {
		all, err := t.cloud.ListConfigurations(ctx, cloud.Params{"keyword": "max." + owner + ".", "page": 1,
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
	var account, domain takes
	for _, s := range chosen {
		one, sum := loadOf(s.ID, groups)
		account, domain = account.atLeast(one), domain.plus(sum)
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

// fitLimits compares the limits of new accounts and domains with what the scenarios take, where the limits are kept.
func (t *Target) fitLimits(ctx context.Context, chosen harness.Catalogue) (lines []string, err error) {
	if !t.config.KeepLimits {
		return []string{"the resource limits of the run's own domain and accounts are lifted (--keep-limits leaves " +
			"them)"}, nil
	}
	limits, err := t.readLimits(ctx)
	if err != nil {
		return nil, err
	}
	groups := t.groups(len(chosen))
	if groups == nil {
		groups = harness.DefaultGroups()
	}
	var refused []error
	for _, s := range short(limits, chosen, groups) {
		refused = append(refused, fmt.Errorf("%s: %s", s, raising))
	}
	return []string{"the resource limits of new accounts and domains allow for it"}, errors.Join(refused...)
}
