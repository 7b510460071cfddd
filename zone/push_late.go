package zone

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/fault"
)

// latePush is a push of a group that scales, built and not sent yet (knob push-overtaken).
type latePush struct{ content }

// lateFor is how long such a push is on its way when no stickiness change of its router comes.
const lateFor = 30 * time.Second

// overtaken holds back the push of a group's own members. Work of group monitors runs beside the jobs of a network, and each
// push is a snapshot that was read before it is sent, so that an older one can arrive last.
func (z *Zone) overtaken(ctx context.Context, r *Router, text []byte) bool {
	c := causeOf(ctx)
	if !z.knobs[fault.PushOvertaken] || c.why != causeMembers || c.rule.Group == nil || originOf(ctx).job != "" || z.late[r.ID] != nil {
		return false
	}
	if z.late == nil {
		z.late = map[int64]*latePush{}
	}
	late := &latePush{content{text: text, from: originOf(ctx)}}
	z.late[r.ID] = late
	z.at(z.now().Add(lateFor), "late push to "+r.Name, func(ctx context.Context) {
		if z.late[r.ID] != late {
			return
		}
		if err := z.pushLate(ctx, r); err != nil {
			z.log.Warn("sending a late push", "router", r.Name, "err", err)
		}
	})
	return true
}

// pushLate sends what is late, if it still is when the pushes before it are out.
func (z *Zone) pushLate(ctx context.Context, r *Router) error {
	l := z.lane(r)
	z.mu.Unlock()
	l.mu.Lock()
	z.mu.Lock()
	defer l.mu.Unlock()
	late := z.late[r.ID]
	if late == nil {
		return nil
	}
	delete(z.late, r.ID)
	return z.send(ctx, r, late.content)
}

// inOrder is what goes to a router with a push, oldest first: what is late goes before it, unless a stickiness change has
// overtaken it.
func (z *Zone) inOrder(ctx context.Context, r *Router, now content) []content {
	late := z.late[r.ID]
	if late == nil {
		return []content{now}
	}
	delete(z.late, r.ID)
	if causeOf(ctx).why == causeSticky {
		return []content{now, late.content}
	}
	return []content{late.content, now}
}
