package push

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// latePush is a push of a group that scales, built and not sent yet (knob push-overtaken).
type latePush struct{ content }

// lateFor is how long such a push is on its way when no stickiness change of its router comes.
const lateFor = 30 * time.Second

// overtaken holds back the push of a group's own members. Work of group monitors runs beside the jobs of a network,
// and each push is a snapshot that was read before it is sent, so that an older one can arrive last.
func (mgr *Manager) overtaken(ctx context.Context, r *net.Router, text []byte, c Cause) bool {
	if !mgr.On(fault.PushOvertaken) || c.Why != Members || c.Rule.Group == nil || kernel.OriginOf(ctx).Job != "" ||
		mgr.late[r.ID] != nil {
		return false
	}
	if mgr.late == nil {
		mgr.late = map[int64]*latePush{}
	}
	late := &latePush{content{text: text, from: kernel.OriginOf(ctx)}}
	mgr.late[r.ID] = late
	mgr.At(mgr.Now().Add(lateFor), "late push to "+r.Name, func(ctx context.Context) {
		if mgr.late[r.ID] != late {
			return
		}
		if err := mgr.pushLate(ctx, r); err != nil {
			mgr.Log.Warn("sending a late push", "router", r.Name, "err", err)
		}
	})
	return true
}

// pushLate sends what is late, if it still is when the pushes before it are out.
func (mgr *Manager) pushLate(ctx context.Context, r *net.Router) error {
	l := mgr.lane(r)
	mgr.Unlock()
	l.mu.Lock()
	mgr.Lock()
	defer l.mu.Unlock()
	late := mgr.late[r.ID]
	if late == nil {
		return nil
	}
	delete(mgr.late, r.ID)
	return mgr.send(ctx, r, late.content)
}

// inOrder is what goes to a router with a push, oldest first: what is late goes before it, unless a stickiness
// change has overtaken it.
func (mgr *Manager) inOrder(r *net.Router, c Cause, now content) []content {
	late := mgr.late[r.ID]
	if late == nil {
		return []content{now}
	}
	delete(mgr.late, r.ID)
	if c.Why == Sticky {
		return []content{now, late.content}
	}
	return []content{late.content, now}
}
