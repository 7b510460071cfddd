package damage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plant adds one of each class that no handler leaves behind: a live rule without a row, a dead rule without a
// delete event, a second open row. It answers how many it found room for: a history of some hundred actions has room
// for all three.
func (h *History) Plant() (planted int) {
	sound := func(alive bool, after func(t *thing, row int)) {
		for _, t := range h.things[LB] {
			row := slices.IndexFunc(
				h.tables[LB],
				func(r helper) bool { return r.account == t.account && r.resource == t.id },
			)
			if row < 0 || t.alive != alive || len(t.deletes) > 1 || alive && len(t.deletes) > 0 ||
				t.lives[0].born >= h.covered() ||
				t.lives[0].died == t.lives[0].born {
				continue
			}
			if r := h.tables[LB][row]; alive && r.closed == 0 || !alive && r.closed == t.lives[0].died {
				after(t, row)
				planted++
				return
			}
		}
	}
	sound(true, func(_ *thing, row int) { h.tables[LB] = slices.Delete(h.tables[LB], row, row+1) })
	sound(true, func(t *thing, _ int) {
		h.last[LB]++
		h.tables[LB] = append(
			h.tables[LB],
			helper{id: h.Base + h.last[LB], account: t.account, resource: t.id, opened: t.lives[0].born},
		)
		h.extra = append(
			h.extra,
			Truth{Class: "DUPLICATE_OPEN", Kind: LB, Account: t.account, ID: t.id, HelperID: h.Base + h.last[LB]},
		)
	})
	sound(false, func(t *thing, row int) {
		h.events = slices.DeleteFunc(h.events, func(e event) bool {
			return e.kind == "LB.DELETE" && e.resource == t.id
		})
		h.pending = min(h.pending, len(h.events))
		h.tables[LB][row].closed = 0
		h.things[LB] = slices.DeleteFunc(h.things[LB], func(x *thing) bool { return x == t })
		h.extra = append(
			h.extra,
			Truth{
				Class:    "OPEN_NO_DELETE_EVENT",
				Kind:     LB,
				Account:  t.account,
				ID:       t.id,
				HelperID: h.tables[LB][row].id,
			},
		)
	})
	return planted
}

// ParseSpec reads HANDLER[:ACTIONS[:SEED]], such as by-helper-id:2000:7, as stackproof lab up --damage takes it.
func ParseSpec(text string) (Options, error) {
	o := Options{Actions: 1000, Seed: 1, Window: time.Hour}
	words := strings.Split(text, ":")
	o.Handler = Handler(words[0])
	if !slices.Contains(Handlers(), o.Handler) {
		return o, fmt.Errorf(
			"%q is no handler of a usage server: use %s, %s or %s",
			words[0],
			Sound,
			ByHelperID,
			Stalled,
		)
	}
	if len(words) > 3 {
		return o, fmt.Errorf("%q: want HANDLER:ACTIONS:SEED, such as by-helper-id:2000:7", text)
	}
	if len(words) > 1 {
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 || n > 100_000 {
			return o, fmt.Errorf("%q: the number of actions must be between 1 and 100000", text)
		}
		o.Actions = n
	}
	if len(words) > 2 {
		seed, err := strconv.ParseUint(words[2], 10, 64)
		if err != nil {
			return o, fmt.Errorf("%q: the seed must be a whole number", text)
		}
		o.Seed = seed
	}
	return o, nil
}

// Until makes the history end shortly before a time: its last usage job covers a whole window.
func (o Options) Until(now time.Time) Options {
	trial := o
	trial.Start = time.Unix(0, 0).UTC()
	o.Start = now.UTC().Truncate(o.Window).Add(-Play(trial).End().Sub(trial.Start).Round(o.Window))
	return o
}
