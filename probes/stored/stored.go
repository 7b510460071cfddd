// Package stored looks at what a management server's database holds of load balancer rules and autoscale groups: the
// rows that its API's lists are made of. It observes only: every statement is a SELECT with qualified names.
//
// Before changing it know that up to 4.22 the rows of deleted rules go with them, and that later releases date them
// (release.SoftDeleteRules): a dated row counts as gone. Releases before 4.18 lack some of the columns.
package stored

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Rule is what the rows of one public rule say.
type Rule struct {
	UUID, Name, State, Algorithm, Protocol, CIDRs string
	Address, Port, PrivatePort                    string
	Network, Account                              string // uuid, name
	Members                                       []Member
	Policies                                      []Policy
}

// Member is a mapping of a rule to an address of a VM.
type Member struct {
	VM, IP, State string // uuid, address, state of the VM
	Revoked       bool
}

// Policy is a stickiness policy.
type Policy struct {
	UUID, Method       string
	Revoked, Displayed bool
}

// Group is an autoscale group that is not removed.
type Group struct {
	UUID, Name, State, Rule string // Rule is a uuid
	Min, Max, Interval      int
	Members                 []string // uuids of VMs
}

// Rows are all that is stored.
type Rows struct {
	Rules  map[string]*Rule  // by uuid
	Groups map[string]*Group // by uuid
	// Left are rows of something that is gone, one sentence each.
	Left []string
}

// Read reads the rows. Dated says whether deleted rows are dated instead of removed.
func Read(ctx context.Context, db *sql.DB, dated bool) (Rows, error) {
	r := reader{db: db, alive: func(string) string { return "TRUE" },
		rows: Rows{Rules: map[string]*Rule{}, Groups: map[string]*Group{}}}
	if dated {
		r.alive = func(table string) string { return table + ".removed IS NULL" }
	}
	for _, read := range []func(context.Context) error{r.rules, r.members, r.policies, r.groups, r.groupMembers} {
		if err := read(ctx); err != nil {
			return Rows{}, fmt.Errorf("reading rules and groups from the database: %w", err)
		}
	}
	return r.rows, nil
}

type reader struct {
	db    *sql.DB
	alive func(table string) string // condition
	rows  Rows
}

// each has take read every row of a query; fields are pointers.
func (r *reader) each(ctx context.Context, query string, fields []any, take func()) (err error) {
	rows, err := r.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(fields...); err != nil {
			return err
		}
		take()
	}
	return rows.Err()
}

func (r *reader) rules(ctx context.Context) error {
	var one Rule
	return r.each(ctx, "SELECT f.uuid, l.name, f.state, l.algorithm, COALESCE(l.lb_protocol, ''), "+
		"COALESCE(l.cidr_list, ''), COALESCE(i.public_ip_address, ''), f.start_port, l.default_port_start, "+
		"COALESCE(n.uuid, ''), COALESCE(a.account_name, '') FROM cloud.load_balancing_rules l "+
		"JOIN cloud.firewall_rules f ON f.id = l.id LEFT JOIN cloud.user_ip_address i ON i.id = f.ip_address_id "+
		"LEFT JOIN cloud.networks n ON n.id = f.network_id LEFT JOIN cloud.account a ON a.id = f.account_id "+
		"WHERE l.scheme = 'Public' AND "+r.alive("f")+" ORDER BY f.id",
		[]any{&one.UUID, &one.Name, &one.State, &one.Algorithm, &one.Protocol, &one.CIDRs, &one.Address, &one.Port,
			&one.PrivatePort, &one.Network, &one.Account}, func() {
			rule := one
			r.rows.Rules[rule.UUID] = &rule
		})
}

// of is the rule of a child row. A row without a rule is told of; that of a rule which is not a public one is not.
func (r *reader) of(rule sql.Null[string], row string) *Rule {
	if !rule.Valid {
		r.rows.Left = append(r.rows.Left, row+" is of no rule that there is")
		return nil
	}
	return r.rows.Rules[rule.V]
}

func (r *reader) members(ctx context.Context) error {
	var id int64
	var rule sql.Null[string]
	var m Member
	return r.each(ctx, "SELECT m.id, f.uuid, COALESCE(v.uuid, ''), COALESCE(m.instance_ip, ''), "+
		"COALESCE(v.state, ''), m.revoke FROM cloud.load_balancer_vm_map m LEFT JOIN cloud.firewall_rules f ON "+
		"f.id = m.load_balancer_id AND "+r.alive("f")+" LEFT JOIN cloud.vm_instance v ON v.id = m.instance_id WHERE "+
		r.alive("m")+" ORDER BY m.id", []any{&id, &rule, &m.VM, &m.IP, &m.State, &m.Revoked}, func() {
		if of := r.of(rule, fmt.Sprintf("mapping %d of %s in load_balancer_vm_map", id, m.IP)); of != nil {
			of.Members = append(of.Members, m)
		}
	})
}

func (r *reader) policies(ctx context.Context) error {
	var id int64
	var rule sql.Null[string]
	var p Policy
	return r.each(ctx, "SELECT p.id, f.uuid, COALESCE(p.uuid, ''), p.method_name, p.revoke, p.display FROM "+
		"cloud.load_balancer_stickiness_policies p LEFT JOIN cloud.firewall_rules f ON f.id = p.load_balancer_id AND "+
		r.alive("f")+" WHERE "+r.alive("p")+" ORDER BY p.id",
		[]any{&id, &rule, &p.UUID, &p.Method, &p.Revoked, &p.Displayed}, func() {
			if of := r.of(rule, fmt.Sprintf("policy %d (%s) in load_balancer_stickiness_policies", id,
				p.Method)); of != nil {
				of.Policies = append(of.Policies, p)
			}
		})
}

func (r *reader) groups(ctx context.Context) error {
	var one Group
	return r.each(ctx, "SELECT g.uuid, COALESCE(g.name, ''), g.state, COALESCE(f.uuid, ''), g.min_members, "+
		"g.max_members, g.`interval` FROM cloud.autoscale_vmgroups g LEFT JOIN cloud.firewall_rules f ON "+
		"f.id = g.load_balancer_id WHERE g.removed IS NULL ORDER BY g.id",
		[]any{&one.UUID, &one.Name, &one.State, &one.Rule, &one.Min, &one.Max, &one.Interval}, func() {
			group := one
			r.rows.Groups[group.UUID] = &group
		})
}

func (r *reader) groupMembers(ctx context.Context) error {
	var id int64
	var group, vm string
	var gone bool
	return r.each(ctx, "SELECT m.id, COALESCE(g.uuid, ''), COALESCE(v.uuid, ''), v.removed IS NOT NULL FROM "+
		"cloud.autoscale_vmgroup_vm_map m LEFT JOIN cloud.autoscale_vmgroups g ON g.id = m.vmgroup_id AND "+
		"g.removed IS NULL LEFT JOIN cloud.vm_instance v ON v.id = m.instance_id ORDER BY m.id",
		[]any{&id, &group, &vm, &gone}, func() {
			of := r.rows.Groups[group]
			switch row := fmt.Sprintf("member %d (VM %s) in autoscale_vmgroup_vm_map", id, vm); {
			case of == nil:
				r.rows.Left = append(r.rows.Left, row+" is of no group that there is")
			case gone:
				r.rows.Left = append(r.rows.Left, row+" is a VM that was removed")
			default:
				of.Members = append(of.Members, vm)
			}
		})
}

// Words are the networks of a source list, however they are parted.
func Words(list string) string {
	return strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' }), " ")
}
