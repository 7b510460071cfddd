package audit

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// ApplyOptions say how a plan is carried out.
type ApplyOptions struct {
	Options
	// UndoFile is written and synced before the first change. When it is there already and belongs to the same plan, an
	// interrupted repair goes on.
	UndoFile string
	// Release is what runs on the site, where cloud.version does not tell; "" reads cloud.version.
	Release string
	// Done is told each row that was changed; nil for nobody.
	Done func(row PlanRow, changed int, of int)
}

// RefusedError says why a plan is not carried out. Nothing was changed, or nothing more.
type RefusedError struct{ error }

func (e RefusedError) Unwrap() error { return e.error }

func refuse(format string, a ...any) error { return RefusedError{fmt.Errorf(format, a...)} }

// Apply carries out a plan: one statement a row, each with the old value in its condition. It refuses unless the
// release is a fixed one, the usage server stands still, and every row is as the plan says. It stops at the first
// row that is not, and can be run again after it was killed.
func Apply(ctx context.Context, p *Plan, o ApplyOptions) (changed int, err error) {
	r, err := openRepair(ctx, p, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.fixedRelease(ctx); err != nil {
		return 0, err
	}
	resumed, err := undoOf(o.UndoFile, p)
	if err != nil {
		return 0, err
	}
	if err := r.matches(ctx, resumed); err != nil {
		return 0, err
	}
	if !resumed {
		if err := writeUndo(o.UndoFile, p); err != nil {
			return 0, err
		}
	}
	return r.change(ctx)
}

// Undo takes back what Apply has changed, from the file that it has written. Rows that are as they were are left alone.
func Undo(ctx context.Context, p *Plan, o ApplyOptions) (changed int, err error) {
	r, err := openRepair(ctx, p, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.matches(ctx, true); err != nil {
		return 0, err
	}
	return r.change(ctx)
}

// repairing is a plan at work.
type repairing struct {
	ApplyOptions
	plan *Plan
	*site
	write *sql.Conn
}

// openRepair makes sure that this is the plan's site, that nobody else repairs it, and that the usage server stands
// still.
func openRepair(ctx context.Context, p *Plan, o ApplyOptions) (_ *repairing, err error) {
	s, err := openSite(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	r := &repairing{ApplyOptions: o, plan: p, site: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	print, err := s.fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	if print != p.Head.Site {
		return nil, refuse("the plan is of site %s, and this is site %s", p.Head.Site, print)
	}
	if r.write, err = s.usage.db.Conn(ctx); err != nil {
		return nil, s.usage.failed("connecting", err)
	}
	var got sql.NullInt64
	if err := r.write.QueryRowContext(ctx, "SELECT GET_LOCK('stackproof repair', 0)").Scan(&got); err != nil {
		return nil, s.usage.failed("locking out other repairs", err)
	}
	if got.Int64 != 1 {
		return nil, refuse("another repair of this site is at work")
	}
	return r, r.standsStill(ctx)
}

func (r *repairing) close() error {
	var errs []error
	if r.write != nil {
		errs = append(errs, r.write.Close()) // ends the lock with the connection's pool
	}
	return errors.Join(append(errs, r.site.close())...)
}

// standsStill refuses while a usage server is at work: an open job whose heartbeat is fresh.
func (r *repairing) standsStill(ctx context.Context) error {
	var age sql.NullInt64
	err := r.write.QueryRowContext(ctx, "SELECT MIN(TIMESTAMPDIFF(SECOND, heartbeat, UTC_TIMESTAMP())) FROM "+
		"cloud_usage.usage_job WHERE end_millis = 0 OR end_millis IS NULL").
		Scan(&age)
	if err != nil {
		return r.usage.failed("looking for a usage server", err)
	}
	if age.Valid && age.Int64 <= staleAfter {
		return refuse(
			"a usage server is at work: the open job's last heartbeat is %d s old. Stop it, and wait until it is "+
				"older than %d s, or gone",
			age.Int64,
			staleAfter,
		)
	}
	return nil
}

// fixedRelease refuses releases that would go on closing rows by the wrong id.
func (r *repairing) fixedRelease(ctx context.Context) error {
	version := r.Release
	if version == "" {
		var result Result
		if err := r.describe(ctx, &result); err != nil {
			return err
		}
		version = result.Site.Version
	}
	fixed, known := closesByOwnID(version)
	switch {
	case !known:
		return refuse("cloud.version does not tell the release; say it with --release, such as 4.20.1.0")
	case !fixed:
		return refuse(
			"release %s still closes rows by the wrong id: upgrade to 4.19.3, 4.20.1 or later first, repair afterwards",
			version,
		)
	}
	return nil
}

// closesByOwnID says whether a release's handlers look rows up by the resource's id (#10712, #9888).
func closesByOwnID(version string) (fixed, known bool) {
	_, known = numberOf(version)
	return known && release.RowsByResourceID().Contains(version), known
}

// undoOf says whether the undo file is there and belongs to this plan.
func undoOf(path string, p *Plan) (resumed bool, err error) {
	if path == "" {
		return false, badInput(errors.New("where is the undo file to be written? Give --undo"))
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, badInput(fmt.Errorf("the undo file: %w", err))
	}
	u, err := ReadUndo(bytes.NewReader(data))
	if err != nil {
		return false, refuse(
			"%s is there, and is no whole undo file of this plan: %w. If no repair was begun with it, remove it",
			path,
			err,
		)
	}
	if u.Head.Digest != p.undo().Head.Digest || u.Head.Site != p.Head.Site {
		return false, refuse("%s is the undo file of another plan: name another one", path)
	}
	return true, nil
}

// writeUndo writes the undo file and makes sure that it survives a power failure, before anything is changed.
func writeUndo(path string, p *Plan) (err error) {
	var b bytes.Buffer
	if err := p.undo().Encode(&b); err != nil {
		return err
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return badInput(fmt.Errorf("the undo file: %w", err))
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("the undo file: %w", errors.Join(err, os.RemoveAll(part)))
	}
	return nil
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// matches compares every row with the plan before anything is changed. done accepts rows that have the new value
// already.
func (r *repairing) matches(ctx context.Context, done bool) error {
	for i, row := range r.plan.Rows {
		value, found, err := r.value(ctx, row)
		if err != nil {
			return err
		}
		switch {
		case !found:
			return refuse(
				"row %d of the plan: %s row %d of %s %d (account %d) is not there any more",
				i+1,
				row.Table,
				row.HelperID,
				row.Kind,
				row.ResourceID,
				row.AccountID,
			)
		case value == row.Old, done && value == row.New:
		default:
			return refuse(
				"row %d of the plan: %s row %d of %s %d has %s %s, not %s: make a new plan",
				i+1,
				row.Table,
				row.HelperID,
				row.Kind,
				row.ResourceID,
				row.Column,
				literal(value),
				literal(row.Old),
			)
		}
		if r.plan.Head.Document == documentPlan {
			if err := r.alive(ctx, row); err != nil {
				return fmt.Errorf("row %d of the plan: %w", i+1, err)
			}
		}
	}
	return nil
}

func (r *repairing) value(ctx context.Context, row PlanRow) (value string, found bool, err error) {
	var text sql.NullString
	err = r.write.QueryRowContext(ctx, fmt.Sprintf("SELECT CAST(%s AS CHAR) FROM cloud_usage.%s WHERE id = ? AND %s "+
		"= ? AND account_id = ?", row.Column, row.Table, row.IDColumn),
		row.HelperID, row.ResourceID, row.AccountID).
		Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, r.usage.failed("comparing rows with the plan", err)
	}
	return cut(text.String), true, nil
}

// alive makes sure that a row that is closed belongs to what is gone, and one that is opened to what lives. Only
// rules can be asked for: everything else was judged by the audit that made the plan, whose row is unchanged.
func (r *repairing) alive(ctx context.Context, row PlanRow) error {
	if row.Kind != string(usageprobe.KindLB) && row.Kind != string(usageprobe.KindPF) {
		return nil
	}
	query := "SELECT COUNT(*) FROM cloud.firewall_rules WHERE id = ? AND account_id = ?"
	if r.cloud.has("firewall_rules", "removed") {
		query += " AND removed IS NULL"
	}
	var n int
	if err := r.cloud.db.QueryRowContext(ctx, query, row.ResourceID, row.AccountID).Scan(&n); err != nil {
		return r.cloud.failed("looking whether a rule lives", err)
	}
	if opens := row.New == ""; opens != (n > 0) {
		return refuse(
			"%s %d is %s: its row is not %s",
			row.Kind,
			row.ResourceID,
			either(n > 0, "alive", "gone"),
			either(opens, "opened again", "closed"),
		)
	}
	return nil
}

// change does the rows one after another, each in a transaction of its own.
func (r *repairing) change(ctx context.Context) (changed int, err error) {
	for _, row := range r.plan.Rows {
		if err := context.Cause(ctx); err != nil {
			return changed, fmt.Errorf("after %d of %d rows: %w. Run it again to go on", changed, len(r.plan.Rows), err)
		}
		done, err := r.one(ctx, row)
		if err != nil {
			return changed, fmt.Errorf("after %d of %d rows: %w", changed, len(r.plan.Rows), err)
		}
		if done {
			changed++
			if r.Done != nil {
				r.Done(row, changed, len(r.plan.Rows))
			}
		}
	}
	return changed, nil
}

func (r *repairing) one(ctx context.Context, row PlanRow) (bool, error) {
	result, err := r.write.ExecContext(ctx, row.statement())
	if err != nil {
		if usageprobe.IsAbsent(err) {
			return false, refuse(
				"the account may not change cloud_usage.%s: GRANT UPDATE ON cloud_usage.%s TO '%s'@'%%'",
				row.Table,
				row.Table,
				r.usage.config.User,
			)
		}
		return false, r.usage.failed("changing "+row.String(), err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, r.usage.failed("changing "+row.String(), err)
	}
	if n == 1 {
		return true, nil
	}
	value, found, err := r.value(ctx, row)
	if err != nil {
		return false, err
	}
	if found && value == row.New {
		return false, nil // done by the run before
	}
	return false, refuse(
		"%s changed %d rows, not 1: stopped. What was changed so far can be taken back with repair undo",
		row,
		n,
	)
}
