package usageprobe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNotFound is wrapped by InternalID when no row has the uuid.
var ErrNotFound = errors.New("no such object")

// Object is a table of cloud whose rows have a uuid and an internal id.
type Object string

// The objects whose internal ids a ledger keeps. LB, PF, firewall and static-NAT rules share one table and one sequence
// of ids; load_balancing_rules.id is the same number and has no uuid of its own.
const (
	ObjectRule             Object = "firewall_rules"
	ObjectAccount          Object = "account"
	ObjectDomain           Object = "domain"
	ObjectZone             Object = "data_center"
	ObjectNetwork          Object = "networks"
	ObjectVPC              Object = "vpc"
	ObjectAddress          Object = "user_ip_address"
	ObjectVM               Object = "vm_instance"
	ObjectNIC              Object = "nics"
	ObjectStickinessPolicy Object = "load_balancer_stickiness_policies"
	ObjectAutoScaleVMGroup Object = "autoscale_vmgroups"
)

// mostLate is how long an object may be missing that the API has given out: the database may be a replica.
const mostLate = 10 * time.Second

// pause lets a moment pass between two looks.
func pause(ctx context.Context) error {
	const moment = 50 * time.Millisecond
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// InternalID returns the internal id of the object with this uuid. It must be asked while the object exists: rules are
// really deleted. One that is not there yet is waited for.
func (p *Probe) InternalID(ctx context.Context, of Object, uuid string) (int64, error) {
	switch of {
	case ObjectRule, ObjectAccount, ObjectDomain, ObjectZone, ObjectNetwork, ObjectVPC, ObjectAddress, ObjectVM,
		ObjectNIC,
		ObjectStickinessPolicy, ObjectAutoScaleVMGroup:
	default:
		return 0, fmt.Errorf("internal id of %s %s: not a table that this probe knows", of, uuid)
	}
	return p.awaited(ctx, fmt.Sprintf("internal id of %s %s", of, uuid),
		"SELECT id FROM cloud."+string(of)+" WHERE uuid = ?", uuid)
}

// awaited reads one id of what the API has just made: a replica may not have it yet.
func (p *Probe) awaited(ctx context.Context, what, query string, args ...any) (id int64, err error) {
	for end := time.Now().Add(p.late); ; {
		err := p.db.QueryRowContext(ctx, query, args...).Scan(&id)
		switch {
		case err == nil:
			return id, nil
		case !errors.Is(err, sql.ErrNoRows):
			return 0, fmt.Errorf("%s: %w", what, err)
		case time.Now().After(end):
			return 0, fmt.Errorf("%s: %w in the database after %s: it may be a replica that is late, or another "+
				"server's", what, ErrNotFound, p.late)
		}
		if err := p.wait(ctx); err != nil {
			return 0, fmt.Errorf("%s: %w", what, err)
		}
	}
}

// ProjectPrefix begins the name of the account that a project has of its own. The project's name, a dash and its
// domain's id follow (ProjectManagerImpl.java@4.20.0.0, createProject).
const ProjectPrefix = "PrjAcct-"

// OwnedByProject says whether an account is the own one of a project of that name.
func OwnedByProject(account, project string) bool {
	return strings.HasPrefix(account, ProjectPrefix+project+"-")
}

// ProjectAccount is the internal id of the account that a project has of its own, and that is billed for what belongs
// to it.
func (p *Probe) ProjectAccount(ctx context.Context, project, domain string) (int64, error) {
	return p.awaited(ctx, "account of project "+project, "SELECT a.id FROM cloud.account a JOIN cloud.domain d ON "+
		"d.id = a.domain_id WHERE d.uuid = ? AND a.account_name = CONCAT('"+ProjectPrefix+"', ?, '-', d.id) AND "+
		"a.removed IS NULL", domain, project)
}

// LastID is the last id that a table has given out, whether its row is still there or not: the table's own counter,
// which a server may answer from a cache (MySQL 8), or the largest id, whichever is more.
func LastID(ctx context.Context, db *sql.DB, schema, table string) (int64, error) {
	var id int64
	err := db.QueryRowContext(ctx, "SELECT GREATEST((SELECT COALESCE(MAX(id), 0) FROM "+schema+"."+table+"), "+
		"COALESCE((SELECT CAST(auto_increment AS SIGNED) FROM information_schema.tables WHERE table_schema = ? AND "+
		"table_name = ?), 1) - 1)", schema, table).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("reading the last id of %s.%s: %w", schema, table, err)
	}
	return id, nil
}

// Now is the database's time in GMT, cut to the second. All times in assertions come from here or from rows.
func (p *Probe) Now(ctx context.Context) (time.Time, error) {
	var text string
	if err := p.db.QueryRowContext(ctx, "SELECT CAST(UTC_TIMESTAMP() AS CHAR)").Scan(&text); err != nil {
		return time.Time{}, fmt.Errorf("read database time: %w", err)
	}
	return parseTime(text)
}

// HelperRows returns the helper rows of one resource, in order of helper id.
func (p *Probe) HelperRows(ctx context.Context, kind Kind, resourceID int64) ([]HelperRow, error) {
	spec := specOf(kind)
	if spec.table == "" {
		return nil, fmt.Errorf("read helper rows: no helper table for kind %q", kind)
	}
	return helperRows(ctx, p.db, spec, filter{}.and(spec.idColumn+" = ?", resourceID))
}

// HelperRow returns the row with this helper id, nil when there is none.
func (p *Probe) HelperRow(ctx context.Context, kind Kind, helperID int64) (*HelperRow, error) {
	spec := specOf(kind)
	if spec.table == "" {
		return nil, fmt.Errorf("read helper row: no helper table for kind %q", kind)
	}
	rows, err := helperRows(ctx, p.db, spec, filter{}.and("id = ?", helperID))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Records returns the records of one resource, in order of id. Records of NIC offerings name no NIC; their resourceID
// is the VM's.
func (p *Probe) Records(ctx context.Context, kind Kind, resourceID int64) ([]Record, error) {
	spec := specOf(kind)
	if spec.recordType == 0 {
		return nil, fmt.Errorf("read records: no usage type for kind %q", kind)
	}
	column := "usage_id"
	if kind == KindNIC {
		column = "vm_instance_id"
	}
	f := filter{}.and("usage_type = ?", spec.recordType).and(column+" = ?", resourceID)
	return records(ctx, p.db, f)
}

// Events returns the events of cloud.usage_event that concern one resource of a kind, in order of id.
func (p *Probe) Events(ctx context.Context, kind Kind, resourceID int64) ([]UsageEvent, error) {
	spec := specOf(kind)
	all, err := readInto(ctx, p.db, schemaCloud, "usage_event", filter{}.and("resource_id = ?", resourceID), parseEvent)
	if err != nil {
		return nil, err
	}
	var events []UsageEvent
	for _, e := range all {
		if spec.concerns(e) {
			events = append(events, e)
		}
	}
	return events, nil
}

// Jobs returns all usage jobs, in order of id.
func (p *Probe) Jobs(ctx context.Context) ([]Job, error) {
	return readInto(ctx, p.db, schemaUsage, "usage_job", filter{}, parseJob)
}

// Drained says whether a successful usage job covers t and every event of the accounts (all when none is given) up to t
// was copied and processed. When not, why names what is missing.
func (p *Probe) Drained(ctx context.Context, t time.Time, accountIDs ...int64) (ok bool, why string, err error) {
	err = p.inTransaction(ctx, func(q querier) error {
		jobs, err := readInto(ctx, q, schemaUsage, "usage_job", filter{}, parseJob)
		if err != nil {
			return err
		}
		if end := lastSuccess(jobs); !end.After(t) {
			why = "no successful usage job ends after " + stamp(t)
			if !end.IsZero() {
				why += ", the last one ended " + millis(end)
			}
			return nil
		}
		of := accounts(accountIDs).and("created <= ?", stamp(t))
		events, err := readInto(ctx, q, schemaCloud, "usage_event", of, parseEvent)
		if err != nil {
			return err
		}
		copies, err := readInto(ctx, q, schemaUsage, "usage_event", of, parseEvent)
		if err != nil {
			return err
		}
		processed := map[int64]bool{}
		for _, e := range copies {
			processed[e.ID] = e.Processed
		}
		for _, e := range events {
			if done, copied := processed[e.ID]; !done {
				why = fmt.Sprintf("event %d (%s of %s, resource %d) is copied: %t, processed: %t", e.ID, e.Type,
					stamp(e.Created), e.ResourceID, copied, done)
				return nil
			}
		}
		ok = true
		return nil
	})
	if err != nil {
		return false, "", fmt.Errorf("look whether usage is drained: %w", err)
	}
	return ok, why, nil
}
