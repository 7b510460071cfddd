package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Options say what is audited.
type Options struct {
	// DSN is the server of both schemas, or of cloud alone when UsageDSN is given. The account needs SELECT on them.
	DSN, UsageDSN string
	// Batch is how many ids one statement covers at most; 0 is 200,000.
	Batch int
	// MaxLoad pauses while the server has more statements at work, the audit's own included: one, and while records are
	// read two. MySQL counts one of its own threads with them. 0 never pauses.
	MaxLoad int
	// Routers looks into virtual routers; nil: nobody may.
	Routers Routers
	// Reach connects once to a public address and port; nil: nobody tries.
	Reach func(ctx context.Context, address string) error
	// Resume is a file that keeps how far the records are counted, from which an audit that ended half-way continues.
	// It is gone when the audit is complete. "" keeps none.
	Resume string
	// Progress is told how far the audit is, some times a second; nil for nobody.
	Progress func(Progress)
}

// InputError is a mistake of the caller: a wrong address, a plan of another site.
type InputError struct{ error }

func (e InputError) Unwrap() error { return e.error }

func badInput(err error) error { return InputError{err} }

// site is both schemas of a site.
type site struct {
	cloud, usage *source
	two          bool // two servers
}

// openSite connects and makes sure that this is a CloudStack site that can be read.
func openSite(ctx context.Context, o Options) (_ *site, err error) {
	batch := int64(o.Batch)
	if batch <= 0 {
		batch = 200_000
	}
	s := &site{
		cloud: &source{schema: schemaCloud, batch: batch, maxLoad: o.MaxLoad},
		usage: &source{schema: schemaUsage, batch: batch, maxLoad: o.MaxLoad},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.cloud.db, s.cloud.config, err = dial(ctx, o.DSN); err != nil {
		return nil, err
	}
	if err := s.cloud.open(ctx); err != nil {
		return nil, err
	}
	if o.UsageDSN == "" {
		s.usage.db, s.usage.config, s.usage.conn, s.usage.taken, s.usage.shared = s.cloud.db, s.cloud.config,
			s.cloud.conn, s.cloud.taken, true
	} else {
		s.two = true
		if s.usage.db, s.usage.config, err = dial(ctx, o.UsageDSN); err != nil {
			return nil, err
		}
		if err := s.usage.open(ctx); err != nil {
			return nil, err
		}
	}
	for _, source := range []*source{s.cloud, s.usage} {
		if err := source.learn(ctx); err != nil {
			return nil, err
		}
	}
	return s, s.check(ctx)
}

// needed are the tables and columns without which nothing can be said.
func needed() map[string]map[string][]string {
	return map[string]map[string][]string{
		schemaCloud: {
			"usage_event": {"id", "type", "account_id", "created", "zone_id", "resource_id", "resource_name"},
			"account": {
				"id",
				"account_name",
				"removed",
			},
			"firewall_rules": {"id", "account_id", "purpose", "state"},
			"version":        {"id"},
		},
		schemaUsage: {
			"usage_event": {
				"id",
				"type",
				"account_id",
				"created",
				"zone_id",
				"resource_id",
				"resource_name",
				"processed",
			},
			"usage_job": {"id", "start_millis", "end_millis", "success", "heartbeat"},
			"cloud_usage": {
				"id",
				"account_id",
				"zone_id",
				"usage_type",
				"usage_id",
				"raw_usage",
				"start_date",
				"end_date",
			},
			"account": {
				"id",
			},
			"usage_load_balancer_policy": {"id", "lb_id", "deleted"},
			"usage_port_forwarding":      {"id", "pf_id", "deleted"},
		},
	}
}

// check tries one row of each table that is needed. The server's own refusal tells a missing grant from a missing
// table.
func (s *site) check(ctx context.Context) error {
	for _, source := range []*source{s.cloud, s.usage} {
		for _, table := range sortedKeys(needed()[source.schema]) {
			columns := needed()[source.schema][table]
			name := source.schema + "." + table
			err := source.each(ctx, "SELECT 1 FROM "+name+" LIMIT 1", func(func(...any) error) error { return nil })
			if err != nil && table == "version" && usageprobe.IsAbsent(err) {
				continue // only names the release in the report
			}
			if err != nil {
				return fmt.Errorf("database %s: %w", source.config.Addr, usageprobe.Explain(err, source.config, name))
			}
			for _, column := range columns {
				if !source.has(table, column) {
					return fmt.Errorf(
						"database %s: %s has no column %s: is this CloudStack 4.16.1 or later? (columns there: %s)",
						source.config.Addr,
						name,
						column,
						strings.Join(sortedKeys(source.columns[table]), ", "),
					)
				}
			}
		}
	}
	return nil
}

func (s *site) close() error { return errors.Join(s.usage.close(), s.cloud.close()) }
