package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
)

// Deliver gives a VPC's router an item that is none of balancing, and its answer as the management server hears it: a
// *router.RejectedError is one of scripts that ended at a balancing configuration which they refused before. Only
// scripts whose answers are awaited take any (Awaited).
func (f *Fleet) Deliver(ctx context.Context, name string, item scripts.Item) error {
	v, err := f.named(name)
	if err != nil {
		return err
	}
	m, is := v.machine.(*scripted)
	if !is || !f.awaited {
		return fmt.Errorf("router %s answers for pushes alone", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.place(ctx); err != nil {
		return err
	}
	d, err := m.deliver(ctx, item)
	if d.Item != "" {
		v.delivered = append(v.delivered, d)
	}
	return err
}

// Delivered are the items that a router's scripts were given beside pushes, in order, with what they did.
func (f *Fleet) Delivered(name string) []scripts.Delivery {
	v := f.find(name)
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.delivered)
}

func (m *scripted) deliver(ctx context.Context, item scripts.Item) (scripts.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return scripts.Delivery{}, router.ErrStopped
	}
	if err := m.open(ctx, false); err != nil {
		return scripts.Delivery{}, err
	}
	d, err := m.vr.Deliver(ctx, item)
	if err != nil {
		return d, err
	}
	said, refused := d.Refused()
	switch {
	case refused:
		return d, &router.RejectedError{Output: said}
	case d.TimedOut:
		err = fmt.Errorf("the router's scripts hung on %s and were ended after %.1f s", d.Item, d.Took.Seconds())
	case d.Crashed():
		err = fmt.Errorf("the router's scripts crashed on %s (exit status %d%s): %s", d.Item, d.Exit, d.Signal,
			cmp.Or(lastLine(d.Stderr), lastLine(d.Stdout)))
	}
	m.broken = cmp.Or(m.broken, err)
	return d, err
}
