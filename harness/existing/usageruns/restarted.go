package usageruns

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/finding"
)

// noOpenJob is what a usage server leaves that was stopped, and what one shows that has just been started.
const noOpenJob = "the usage server has no open job in cloud_usage.usage_job"

// firstBeat is how long a started usage server may take to open its job: a heartbeat, and what its start takes
// (confirmed.md 35).
const firstBeat = 75 * time.Second

// restarted is alive, but it waits for the first heartbeat of a usage server that may have been started just now: for a
// while such a server looks like one that was stopped.
func (u *Server) restarted(ctx context.Context) (finding.Finding, error) {
	f := u.alive(ctx)
	if f.State == finding.OK || f.Evidence != noOpenJob {
		return f, nil
	}
	began, err := u.Clock.Now(ctx)
	if err != nil {
		return f, err
	}
	for {
		if err := clock.Wait(ctx, u.Look); err != nil {
			return f, err
		}
		if f = u.alive(ctx); f.Evidence != noOpenJob {
			return f, nil
		}
		now, err := u.Clock.Now(ctx)
		if err != nil {
			return f, err
		}
		if now.Sub(began) > firstBeat {
			f.Evidence += fmt.Sprintf(", and none came within %s, as one of a server that was started just now would",
				firstBeat)
			return f, nil
		}
	}
}

// takeover is the age of a heartbeat at which another usage server takes the job (UsageJobDaoImpl.java@4.20.0.0); it
// looks once a minute.
const takeover = 5 * time.Minute
