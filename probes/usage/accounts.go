package usageprobe

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// LostAccounts holds accounts against invariant I11: after a usage run cloud_usage.account knows every account that was
// made before it. The server copies accounts above the largest id that it has copied; one that commits later than an
// account with a larger id is never copied, and its first event ends every run of the site
// (UsageManagerImpl.java@4.20.0.0, parse).
func (p *Probe) LostAccounts(ctx context.Context, accountIDs ...int64) ([]Violation, error) {
	if len(accountIDs) == 0 {
		return nil, nil
	}
	args := make([]any, len(accountIDs))
	for i, id := range accountIDs {
		args[i] = id
	}
	rows, err := p.db.QueryContext(ctx, "SELECT id FROM cloud_usage.account WHERE id IN (?"+
		strings.Repeat(", ?", len(args)-1)+")", args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s.account: %w", schemaUsage, err)
	}
	defer rows.Close()
	var known []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("reading %s.account: %w", schemaUsage, err)
		}
		known = append(known, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading %s.account: %w", schemaUsage, err)
	}
	var lost []Violation
	for _, id := range accountIDs {
		if !slices.Contains(known, id) {
			lost = append(lost, Violation{Invariant: "I11", Class: ClassLostAccount, Table: schemaUsage + ".account",
				AccountID: id,
				Expected:  fmt.Sprintf("account %d, which was there before the last usage run", id),
				Seen: "no such row: the account is not billed, and its first event will end every usage run of " +
					"the site"})
		}
	}
	return lost, nil
}
