package usageprobe

import (
	"context"
	"strings"
)

// readOwners reads the domains of the accounts and which of their events are of hidden addresses.
func readOwners(ctx context.Context, q querier, accountIDs []int64, s *Snapshot) error {
	s.Domains, s.Hidden = map[int64]int64{}, map[int64]bool{}
	if len(accountIDs) == 0 {
		return nil
	}
	of := accounts(accountIDs)
	rows, _, err := read(ctx, q, schemaCloud, "account",
		filter{where: strings.Replace(of.where, "account_id", "id", 1), args: of.args}, "id", "domain_id")
	if err != nil {
		return err
	}
	for _, r := range rows {
		s.Domains[r.number("id")] = r.number("domain_id")
	}
	details, _, err := read(ctx, q, schemaCloud, "usage_event_details", filter{
		where: "name = 'hidden' AND usage_event_id IN (SELECT id FROM cloud.usage_event WHERE " + of.where + ")",
		args:  of.args}, "id", "usage_event_id", "value")
	if err != nil {
		return err
	}
	for _, r := range details {
		if v := r.text("value"); v == "1" || strings.EqualFold(v, "true") {
			s.Hidden[r.number("usage_event_id")] = true
		}
	}
	return nil
}
