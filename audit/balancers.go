package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// balancers is what the tables of cloud tell of load balancing.
type balancers struct {
	*ledger
	rules    map[int64]*balancerRule
	routers  map[int64][]string // by network
	vpcs     map[int64][]string // routers by VPC
	readable bool
	unread   []string
}

// readBalancers reads the rules with what belongs to them. What a schema does not have is left out.
func (l *ledger) readBalancers(ctx context.Context) (*balancers, error) {
	b := &balancers{
		ledger:  l,
		rules:   map[int64]*balancerRule{},
		routers: map[int64][]string{},
		vpcs:    map[int64][]string{},
	}
	if !l.cloud.has("load_balancing_rules", "id", "algorithm") ||
		!l.cloud.has("firewall_rules", "network_id", "start_port", "end_port") {
		return b, nil
	}
	b.readable = true
	for _, read := range []func(context.Context) error{b.readRules, b.readDetails, b.readMappings, b.readPolicies,
		b.readCertificates, b.readOfferings, b.readRouters} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *balancers) notRemoved(table, where string) string {
	return b.cloud.either(table, "removed", strings.TrimPrefix(where+" AND removed IS NULL", " AND "), where)
}

func (b *balancers) readRules(ctx context.Context) error {
	c := b.cloud
	columns := []string{
		"account_id",
		number("network_id"),
		"COALESCE(start_port, 0)",
		"COALESCE(end_port, 0)",
		"state",
		c.either("firewall_rules", "uuid", "COALESCE(uuid, '')", "''"),
	}
	return c.scan(
		ctx,
		"firewall_rules",
		columns,
		b.notRemoved("firewall_rules", "purpose = 'LoadBalancing'"),
		func(id int64, f *fields) error {
			b.rules[id] = &balancerRule{
				id:      id,
				account: f.int(),
				network: f.int(),
				start:   f.int(),
				end:     f.int(),
				state:   string(f.text()),
				uuid:    string(f.text()),
			}
			return nil
		},
	)
}

func (b *balancers) readDetails(ctx context.Context) error {
	c := b.cloud
	text := func(column string) string {
		return c.either("load_balancing_rules", column, "COALESCE("+column+", '')", "''")
	}
	protocol := text("lb_protocol")
	if !c.has("load_balancing_rules", "lb_protocol") {
		protocol = "'tcp'"
	}
	return c.scan(
		ctx,
		"load_balancing_rules",
		[]string{"algorithm", protocol, text("cidr_list"), text("scheme"), text("name")},
		"",
		func(id int64, f *fields) error {
			if r := b.rules[id]; r != nil {
				r.algorithm, r.protocol, r.cidr, r.scheme, r.name = string(
					f.text(),
				), string(
					f.text(),
				), string(
					f.text(),
				), string(
					f.text(),
				), string(
					f.text(),
				)
			}
			return nil
		},
	)
}

func (b *balancers) readMappings(ctx context.Context) error {
	if !b.cloud.has("load_balancer_vm_map", "id", "load_balancer_id", "revoke") {
		b.unread = append(b.unread, "cloud.load_balancer_vm_map")
		return nil
	}
	return b.cloud.scan(
		ctx,
		"load_balancer_vm_map",
		[]string{"load_balancer_id", "`revoke`"},
		b.notRemoved("load_balancer_vm_map", ""),
		func(_ int64, f *fields) error {
			r := b.rules[f.int()]
			switch revoked := f.int() != 0; {
			case r == nil:
			case revoked:
				r.revokedBackends++
			default:
				r.backends++
			}
			return nil
		},
	)
}

func (b *balancers) readPolicies(ctx context.Context) error {
	const table = "load_balancer_stickiness_policies"
	if !b.cloud.has(table, "id", "load_balancer_id", "method_name", "params", "revoke") {
		b.unread = append(b.unread, "cloud."+table)
		return nil
	}
	columns := []string{"load_balancer_id", "`revoke`", "method_name", "COALESCE(params, '')"}
	return b.cloud.scan(ctx, table, columns, b.notRemoved(table, ""), func(id int64, f *fields) error {
		r := b.rules[f.int()]
		switch revoked := f.int() != 0; {
		case r == nil:
		case revoked:
			r.revokedPolicies++
		default:
			r.policies = append(r.policies, parsePolicy(id, string(f.text()), string(f.text())))
		}
		return nil
	})
}

// readCertificates never reads a key: only whether a password belongs to it.
func (b *balancers) readCertificates(ctx context.Context) error {
	c := b.cloud
	if !c.has("load_balancer_cert_map", "id", "load_balancer_id", "certificate_id") {
		return nil
	}
	encrypted := "0"
	if c.has("sslcerts", "id", "password") {
		encrypted = "COALESCE((SELECT s.password IS NOT NULL AND s.password <> '' FROM cloud.sslcerts s WHERE s.id " +
			"= t.certificate_id), 0)"
	}
	where := b.notRemoved("load_balancer_cert_map", c.either("load_balancer_cert_map", "revoke", "`revoke` = 0", ""))
	return c.scan(
		ctx,
		"load_balancer_cert_map",
		[]string{"load_balancer_id", encrypted},
		where,
		func(_ int64, f *fields) error {
			if r := b.rules[f.int()]; r != nil {
				r.certificate, r.encrypted = true, f.int() != 0
			}
			return nil
		},
	)
}

func (b *balancers) readOfferings(ctx context.Context) error {
	c := b.cloud
	keep := map[int64]bool{}
	if c.has("network_offerings", "id", "keep_alive_enabled") {
		err := c.scan(
			ctx,
			"network_offerings",
			[]string{number("keep_alive_enabled")},
			"",
			func(id int64, f *fields) error {
				keep[id] = f.int() != 0
				return nil
			},
		)
		if err != nil {
			return err
		}
	}
	if !c.has("networks", "id", "network_offering_id", "vpc_id") {
		return nil
	}
	type network struct{ offering, vpc int64 }
	networks := map[int64]network{}
	err := c.scan(
		ctx,
		"networks",
		[]string{number("network_offering_id"), number("vpc_id")},
		"removed IS NULL",
		func(id int64, f *fields) error {
			networks[id] = network{f.int(), f.int()}
			return nil
		},
	)
	if err != nil {
		return err
	}
	for _, r := range b.rules {
		r.vpc, r.keepAlive = networks[r.network].vpc, keep[networks[r.network].offering]
	}
	return nil
}

// readRouters finds the names of the routers of networks and VPCs.
func (b *balancers) readRouters(ctx context.Context) error {
	c := b.cloud
	if !c.has("domain_router", "id") || !c.has("vm_instance", "id", "instance_name", "removed") {
		return nil
	}
	names := map[int64]string{}
	err := c.scan(ctx, "domain_router", []string{
		c.either("domain_router", "vpc_id", number("vpc_id"), "0"),
		"COALESCE((SELECT v.instance_name FROM cloud.vm_instance v WHERE v.id = t.id AND v.removed IS NULL), '')",
	}, "", func(id int64, f *fields) error {
		vpc, name := f.int(), string(f.text())
		if name == "" {
			return nil
		}
		names[id] = name
		if vpc != 0 {
			b.vpcs[vpc] = append(b.vpcs[vpc], name)
		}
		return nil
	})
	if err != nil || !c.has("router_network_ref", "id", "router_id", "network_id") {
		return err
	}
	return c.scan(ctx, "router_network_ref", []string{"router_id", "network_id"}, "", func(_ int64, f *fields) error {
		router, network := f.int(), f.int()
		if names[router] != "" {
			b.routers[network] = append(b.routers[network], names[router])
		}
		return nil
	})
}

// sorted are the rules in order of id.
func (b *balancers) sorted() []*balancerRule {
	all := make([]*balancerRule, 0, len(b.rules))
	for _, r := range b.rules {
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y *balancerRule) int { return cmp.Compare(x.id, y.id) })
	return all
}

// place names the router that serves a rule, or its VPC or network where the schema does not tell.
func (b *balancers) place(r *balancerRule) []string {
	names := b.routers[r.network]
	if r.vpc != 0 {
		names = b.vpcs[r.vpc]
	}
	if len(names) > 0 {
		return names
	}
	if r.vpc != 0 {
		return []string{fmt.Sprintf("router of VPC %d", r.vpc)}
	}
	return []string{fmt.Sprintf("router of network %d", r.network)}
}

// poison is L1.
func (b *balancers) poison(names map[uint32]string) []Poison {
	var all []Poison
	for _, r := range b.sorted() {
		for _, f := range r.poisoned() {
			all = append(
				all,
				Poison{
					Class:     f.class,
					Rule:      r.id,
					UUID:      r.uuid,
					Name:      r.name,
					AccountID: r.account,
					Account:   names[uint32(r.account)], // see fields.id
					Network:   r.network,
					VPC:       r.vpc,
					Routers:   b.place(r),
					What:      f.what,
					From:      f.from,
					Until:     f.until,
					Hurts:     f.hurts,
					Warning:   f.warning(),
					Latent:    r.backends == 0,
				},
			)
		}
	}
	return all
}

// String is the finding in one line.
func (p Poison) String() string {
	s := fmt.Sprintf("%s: load balancer rule %d", p.Class, p.Rule)
	if p.Name != "" {
		s += fmt.Sprintf(" %q", p.Name)
	}
	s += fmt.Sprintf(" of account %d on %s: %s", p.AccountID, strings.Join(p.Routers, ", "), p.What)
	if p.Latent {
		s += " (the rule has no backend yet)"
	}
	return s + "; hurts " + p.releases()
}

func (p Poison) releases() string {
	switch {
	case p.From != "" && p.Until != "":
		return p.From + " to " + p.Until
	case p.From != "":
		return "from " + p.From + " on"
	case p.Until != "":
		return "up to " + p.Until
	}
	return "every release, loudly from 4.22.0.0 on"
}
