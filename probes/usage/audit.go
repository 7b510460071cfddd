package usageprobe

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// AuditVerdict is what the tables say of one rule that was ever billed.
type AuditVerdict string

// The verdicts of an audit.
const (
	AuditOK                  AuditVerdict = "OK"
	AuditMissing             AuditVerdict = "MISSING"                // no helper row
	AuditLiveWithDeleteEvent AuditVerdict = "LIVE_WITH_DELETE_EVENT" // a delete that was rolled back; do not close
	AuditClosedButLive       AuditVerdict = "CLOSED_BUT_LIVE"        // a live rule is not billed
	AuditOpenButDead         AuditVerdict = "OPEN_BUT_DEAD"          // a dead rule is billed
	AuditOpenNoDeleteEvent   AuditVerdict = "OPEN_NO_DELETE_EVENT"   // dead and billed, and nothing says since when
	AuditWrongDate           AuditVerdict = "WRONG_DATE"             // closed, not at the rule's own delete event
	// AuditUndecided: the rule is being revoked, or an event of it was not processed yet.
	AuditUndecided AuditVerdict = "UNDECIDED"
)

// AuditRow is one rule, next to one of its helper rows.
type AuditRow struct {
	Ref
	AccountID int64        `json:"account_id"`
	Born      time.Time    `json:"born"` // first create event
	Died      *time.Time   `json:"died"` // first delete event after it
	HelperID  int64        `json:"helper_id"`
	Stored    *time.Time   `json:"stored"` // the helper row's close date
	UUID      string       `json:"uuid,omitempty"`
	Verdict   AuditVerdict `json:"verdict"`
	// CrossedBy is the id of the rule whose delete event closed this row by its helper id; 0 when none did.
	CrossedBy int64 `json:"crossed_by,omitempty"`
	// Creates and Deletes count the rule's events; DeleteEvent is the id of the one that dates Died.
	Creates     int   `json:"creates"`
	Deletes     int   `json:"deletes"`
	DeleteEvent int64 `json:"delete_event,omitempty"`
}

// String is the finding in one line.
func (a AuditRow) String() string {
	stored, died := "open", "no delete event"
	if a.Stored != nil {
		stored = "closed at " + stamp(*a.Stored)
	}
	if a.Died != nil {
		died = "deleted at " + stamp(*a.Died)
	}
	if a.HelperID == 0 {
		stored = "no row"
	}
	s := fmt.Sprintf("%s: %s %d of account %d, created at %s, %s: helper row %d is %s", a.Verdict, a.Kind, a.ID, a.AccountID, stamp(a.Born), died, a.HelperID, stored)
	if a.CrossedBy != 0 {
		s += fmt.Sprintf(", by the delete of rule %d", a.CrossedBy)
	}
	return s
}

// auditQuery compares the model (events) with the store (helper rows) and the live rules. Filled in: create type, delete
// type, helper table, its rule column, live purposes, condition for "not removed", account condition.
const auditQuery = `
WITH ev AS (
  SELECT account_id, resource_id, type, MIN(created) AS at_, MIN(processed) AS done, COUNT(*) AS n
  FROM cloud_usage.usage_event WHERE type IN ('%[1]s','%[2]s')%[7]s
  GROUP BY account_id, resource_id, type),
model AS (
  SELECT c.account_id, c.resource_id AS rule_id, c.at_ AS born, c.done AND COALESCE(d.done, 1) AS done, c.n AS creates, COALESCE(d.n, 0) AS deletes,
    (SELECT MIN(e.created) FROM cloud_usage.usage_event e WHERE e.account_id = c.account_id AND e.resource_id = c.resource_id
       AND e.type = '%[2]s' AND e.created >= c.at_) AS died
  FROM ev c LEFT JOIN ev d ON d.account_id = c.account_id AND d.resource_id = c.resource_id AND d.type = '%[2]s'
  WHERE c.type = '%[1]s')
SELECT m.account_id, m.rule_id, CAST(m.born AS CHAR), CAST(m.died AS CHAR), COALESCE(h.id, 0), CAST(h.deleted AS CHAR), COALESCE(f.uuid, ''), m.creates, m.deletes,
  COALESCE((SELECT MIN(e.id) FROM cloud_usage.usage_event e WHERE e.account_id = m.account_id AND e.resource_id = m.rule_id
     AND e.type = '%[2]s' AND e.created = m.died), 0) AS delete_event,
  COALESCE((SELECT MIN(x.resource_id) FROM cloud_usage.usage_event x WHERE x.type = '%[2]s' AND x.account_id = m.account_id
     AND x.resource_id = h.id AND x.resource_id <> m.rule_id AND x.created = h.deleted), 0) AS crossed_by,
  CASE WHEN f.state = 'Revoke' OR NOT m.done                          THEN 'UNDECIDED'
       WHEN f.id IS NULL AND m.died IS NULL AND EXISTS (SELECT 1 FROM cloud.usage_event p WHERE p.type = '%[2]s'
            AND p.account_id = m.account_id AND p.resource_id = m.rule_id AND p.created >= m.born) THEN 'UNDECIDED'
       WHEN h.id IS NULL                                              THEN 'MISSING'
       WHEN f.id IS NOT NULL AND m.died IS NOT NULL                   THEN 'LIVE_WITH_DELETE_EVENT'
       WHEN f.id IS NOT NULL AND h.deleted IS NOT NULL                THEN 'CLOSED_BUT_LIVE'
       WHEN f.id IS NULL AND h.deleted IS NULL AND m.died IS NOT NULL THEN 'OPEN_BUT_DEAD'
       WHEN f.id IS NULL AND h.deleted IS NULL                        THEN 'OPEN_NO_DELETE_EVENT'
       WHEN f.id IS NULL AND NOT (h.deleted <=> m.died)               THEN 'WRONG_DATE'
       ELSE 'OK' END AS verdict
FROM model m
LEFT JOIN cloud_usage.%[3]s h ON h.account_id = m.account_id AND h.%[4]s = m.rule_id
LEFT JOIN cloud.firewall_rules f ON f.id = m.rule_id AND f.purpose IN (%[5]s)%[6]s
ORDER BY m.rule_id, h.id`

// Audit judges every LB and PF rule that was ever billed, of the given accounts (all when none is given), by one query each,
// in one transaction. It needs MySQL 8, or MariaDB 10.2 and later. A rule whose create event was not copied yet is not listed.
func (p *Probe) Audit(ctx context.Context, accountIDs ...int64) ([]AuditRow, error) {
	var all []AuditRow
	err := p.inTransaction(ctx, func(q querier) error {
		names, err := columns(ctx, q, schemaCloud, "firewall_rules")
		if err != nil {
			return err
		}
		notRemoved := ""
		for _, n := range names {
			if n == "removed" { // releases that keep deleted rules
				notRemoved = " AND f.removed IS NULL"
			}
		}
		for _, kind := range []Kind{KindLB, KindPF} {
			rows, err := audit(ctx, q, kind, notRemoved, accounts(accountIDs))
			if err != nil {
				return err
			}
			all = append(all, rows...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit usage: %w", err)
	}
	return all, nil
}

func audit(ctx context.Context, q querier, kind Kind, notRemoved string, of filter) ([]AuditRow, error) {
	spec, purposes := specOf(kind), []string{"'LoadBalancing'"}
	if kind == KindPF {
		purposes = []string{"'PortForwarding'", "'StaticNat'"}
	}
	if of.where != "" {
		of.where = " AND " + of.where
	}
	query := fmt.Sprintf(auditQuery, spec.opens[0], spec.closes[0], spec.table, spec.idColumn, strings.Join(purposes, ","), notRemoved, of.where)
	rows, err := q.QueryContext(ctx, query, of.args...)
	if err != nil {
		return nil, fmt.Errorf("compare events with %s.%s: %w", schemaUsage, spec.table, err)
	}
	defer func() { _ = rows.Close() }()
	var found []AuditRow
	for rows.Next() {
		a, v := AuditRow{Ref: Ref{Kind: kind}}, make([]sql.NullString, 3)
		if err := rows.Scan(&a.AccountID, &a.ID, &v[0], &v[1], &a.HelperID, &v[2], &a.UUID, &a.Creates, &a.Deletes, &a.DeleteEvent, &a.CrossedBy, &a.Verdict); err != nil {
			return nil, fmt.Errorf("compare events with %s.%s: %w", schemaUsage, spec.table, err)
		}
		if err := a.dates(row{columns: []string{"born", "died", "stored"}, values: v}); err != nil {
			return nil, fmt.Errorf("compare events with %s.%s: rule %d: %w", schemaUsage, spec.table, a.ID, err)
		}
		found = append(found, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("compare events with %s.%s: %w", schemaUsage, spec.table, err)
	}
	return found, nil
}

func (a *AuditRow) dates(r row) (err error) {
	born, err := r.when("born")
	if err != nil {
		return err
	}
	a.Born = *born // MIN over a NOT NULL column
	if a.Died, err = r.when("died"); err != nil {
		return err
	}
	a.Stored, err = r.when("stored")
	return err
}
