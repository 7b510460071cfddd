package inventory

import (
	"context"
	"database/sql"
	"fmt"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Row is one live row of a table.
type Row struct {
	Table   string
	ID      int64
	Name    string
	Account string
}

func (r Row) String() string {
	text := fmt.Sprintf("row %d of cloud.%s", r.ID, r.Table)
	if r.Name != "" {
		text += " (" + r.Name + ")"
	}
	if r.Account != "" && r.Account != r.Name {
		text += " of " + r.Account
	}
	return text
}

// tableQueries read the live rows of what a run creates. Removed accounts keep their rows, so the owner's name is known
// also of what outlived its account. A project's account has the project's name with something before and after it.
// Columns: id, name, account.
func tableQueries() map[string]string {
	const (
		named = "IF(a.type = 5, SUBSTRING(a.account_name, LENGTH('" + usageprobe.ProjectPrefix +
			"') + 1), a.account_name)"
		owner = " LEFT JOIN cloud.account a ON a.id = t.account_id"
	)
	return map[string]string{
		"vpc":      "SELECT t.id, t.name, " + named + " FROM cloud.vpc t" + owner + " WHERE t.removed IS NULL",
		"networks": "SELECT t.id, t.name, " + named + " FROM cloud.networks t" + owner + " WHERE t.removed IS NULL",
		"vm_instance": "SELECT t.id, t.name, " + named + " FROM cloud.vm_instance t" + owner +
			" WHERE t.removed IS NULL",
		"user_ip_address": "SELECT t.id, t.public_ip_address, " + named + " FROM cloud.user_ip_address t" + owner +
			" WHERE t.allocated IS NOT NULL",
		"firewall_rules": "SELECT t.id, t.purpose, " + named + " FROM cloud.firewall_rules t" + owner,
		"load_balancing_rules": "SELECT t.id, t.name, " + named + " FROM cloud.load_balancing_rules t LEFT JOIN " +
			"cloud.firewall_rules f ON f.id = t.id" +
			" LEFT JOIN cloud.account a ON a.id = f.account_id",
		"autoscale_vmgroups": "SELECT t.id, t.name, " + named + " FROM cloud.autoscale_vmgroups t" + owner +
			" WHERE t.removed IS NULL",
		"autoscale_policies": "SELECT t.id, t.name, " + named + " FROM cloud.autoscale_policies t" + owner +
			" WHERE t.removed IS NULL",
		"autoscale_vmprofiles": "SELECT t.id, t.uuid, " + named + " FROM cloud.autoscale_vmprofiles t" + owner +
			" WHERE t.removed IS NULL",
		"account": "SELECT a.id, " + named + ", " + named + " FROM cloud.account a WHERE a.removed IS NULL",
		"domain":  "SELECT t.id, t.name, '' FROM cloud.domain t WHERE t.removed IS NULL",
	}
}

// Rows reads the live rows.
func Rows(ctx context.Context, db *sql.DB) ([]Row, error) {
	var all []Row
	for table, query := range tableQueries() {
		rows, err := readRows(ctx, db, table, query)
		if err != nil {
			return nil, fmt.Errorf("reading cloud.%s: %w", table, err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

func readRows(ctx context.Context, db *sql.DB, table, query string) ([]Row, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Row
	for rows.Next() {
		r := Row{Table: table}
		var name, account sql.NullString
		if err := rows.Scan(&r.ID, &name, &account); err != nil {
			return nil, err
		}
		r.Name, r.Account = name.String, account.String
		all = append(all, r)
	}
	return all, rows.Err()
}
