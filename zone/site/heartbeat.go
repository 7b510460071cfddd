package site

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/zone/kernel"
)

// heartbeatEvery is cluster.heartbeat.interval.
const heartbeatEvery = 1500 * time.Millisecond

// StartHeartbeat makes the management server's row and, where the clock goes by itself, keeps its heartbeat. It is
// the only thing by which a reader of the database learns the management server's time: a packaged one sends no
// Date header (ManagementServerHostDaoImpl.java, ServerDaemon.java@4.20.0.0).
func (mgr *Manager) StartHeartbeat(ctx context.Context) error {
	id, err := mgr.Insert(ctx, "cloud.mshost", obj{
		"msid": kernel.ManagementID, "runid": mgr.Now().UnixMilli(), "name": "mgmt",
		"uuid": "6f9b51f0-3d0e-4c39-9a43-2a1f0d6b9c11", "state": "Up", "version": mgr.Version(),
		"service_ip": "127.0.0.1", "service_port": 9090, "last_update": mgr.Now(),
	})
	if _, manual := mgr.Clock.(*kernel.Manual); manual || err != nil {
		return err
	}
	mgr.Go(func(ctx context.Context) {
		tick := time.NewTicker(max(kernel.RealTime(mgr.Clock, heartbeatEvery), 25*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := mgr.beatServer(ctx, id); err != nil && ctx.Err() == nil {
				mgr.Log.Warn("the management server's heartbeat failed", "err", err)
			}
		}
	})
	return nil
}

func (mgr *Manager) beatServer(ctx context.Context, id int64) error {
	if err := mgr.Update(ctx, "cloud.mshost", id, obj{"last_update": mgr.Now()}); err != nil {
		return fmt.Errorf("writing the heartbeat: %w", err)
	}
	return nil
}
