package zone

import (
	"context"
	"fmt"
	"time"
)

// heartbeatEvery is cluster.heartbeat.interval.
const heartbeatEvery = 1500 * time.Millisecond

// startHeartbeat makes the management server's row and, where the clock goes by itself, keeps its heartbeat. It is the only thing
// by which a reader of the database learns the management server's time: a packaged one sends no Date header
// (ManagementServerHostDaoImpl.java, ServerDaemon.java@4.20.0.0).
func (z *Zone) startHeartbeat(ctx context.Context) error {
	id, err := z.insert(ctx, "cloud.mshost", obj{
		"msid": managementID, "runid": z.now().UnixMilli(), "name": "mgmt", "uuid": "6f9b51f0-3d0e-4c39-9a43-2a1f0d6b9c11", "state": "Up", "version": z.Version(),
		"service_ip": "127.0.0.1", "service_port": 9090, "last_update": z.now(),
	})
	if _, manual := z.clock.(*Manual); manual || err != nil {
		return err
	}
	z.working.Add(1)
	go func() {
		defer z.working.Done()
		tick := time.NewTicker(max(realTime(z.clock, heartbeatEvery), 25*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-z.background.Done():
				return
			case <-tick.C:
			}
			if err := z.beatServer(id); err != nil && z.background.Err() == nil {
				z.log.Warn("the management server's heartbeat failed", "err", err)
			}
		}
	}()
	return nil
}

func (z *Zone) beatServer(id int64) error {
	if err := z.store.update(z.background, "cloud.mshost", id, obj{"last_update": z.now()}); err != nil {
		return fmt.Errorf("writing the heartbeat: %w", err)
	}
	return nil
}
