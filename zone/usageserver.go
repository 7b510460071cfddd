package zone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/usage"
)

// usageProcess is one usage server: a process on a host. A zone has one; a lab may kill it and start others.
type usageProcess struct {
	host      string
	server    *usage.Server
	beat, run *task
}

// UsageEnd is how a usage server ends.
type UsageEnd int

const (
	// UsageStopped is a clean stop: its open job goes with it.
	UsageStopped UsageEnd = iota
	// UsageKilled is kill -9: its open job stays.
	UsageKilled
	// UsageKilledInRun is kill -9 in the middle of its next run.
	UsageKilledInRun
)

// FirstUsageHost is the host of the usage server that a zone starts with.
const FirstUsageHost = "vm/127.0.0.1"

// UsageSettings are what a usage server reads once, when it starts. The zero value is what a lab zone has: windows of a
// minute, GMT.
type UsageSettings struct {
	Range                  int // minutes
	Aggregation, Execution *time.Location
}

// StartUsage starts a usage server on a host; each start is a new process.
func (z *Zone) StartUsage(ctx context.Context, host string, s UsageSettings) error {
	if s.Range == 0 {
		s.Range = 1
	}
	z.mu.Lock()
	z.usagePID++
	options := usage.Options{Rules: usage.RulesOf(z.knobs), Faults: z.usageFaults(), Clock: z.clock, Range: s.Range, Aggregation: s.Aggregation, Execution: s.Execution,
		Host: host, PID: z.usagePID, Log: z.log}
	if z.knobs[fault.UsageTiesShuffled] {
		options.TieSeed = uint64(z.seed)*2 + 1
	}
	z.mu.Unlock()
	server, err := usage.New(z.store.db, options)
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return fmt.Errorf("starting the usage server: %w", err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	p := &usageProcess{host: host, server: server}
	z.usages = append(z.usages, p)
	p.beat = z.at(z.now().Add(usage.HeartbeatDelay), "usage heartbeat", func(ctx context.Context) { z.beat(ctx, p) })
	p.run = z.at(server.NextRun(), "scheduled usage run", func(ctx context.Context) { z.scheduledUsage(ctx, p) })
	return nil
}

// EndUsage ends the usage server on a host.
func (z *Zone) EndUsage(ctx context.Context, host string, how UsageEnd) error {
	z.mu.Lock()
	i := slices.IndexFunc(z.usages, func(p *usageProcess) bool { return p.host == host })
	if i < 0 {
		z.mu.Unlock()
		return fmt.Errorf("no usage server runs on %s", host)
	}
	p := z.usages[i]
	if how != UsageKilledInRun {
		z.forgetUsage(p)
	}
	z.mu.Unlock()
	if how == UsageKilledInRun {
		p.server.KillInRun()
		return nil
	}
	return p.server.Stop(ctx, how == UsageStopped)
}

// forgetUsage takes back what a process had planned. The lock must be held.
func (z *Zone) forgetUsage(p *usageProcess) {
	z.usages = slices.DeleteFunc(z.usages, func(o *usageProcess) bool { return o == p })
	z.cancel(p.beat)
	z.cancel(p.run)
}

// beat is a usage server's heartbeat; it runs jobs that were asked for. The zone's lock is released meanwhile.
func (z *Zone) beat(ctx context.Context, p *usageProcess) {
	z.mu.Unlock()
	jobs, err := p.server.Heartbeat(ctx)
	z.mu.Lock()
	z.usageLog("heartbeat", jobs, err)
	if z.usageAlive(p, err) {
		p.beat = z.at(z.now().Add(usage.HeartbeatEvery), "usage heartbeat", func(ctx context.Context) { z.beat(ctx, p) })
	}
}

// usageAlive is false for a process that was ended, or was killed in its last run.
func (z *Zone) usageAlive(p *usageProcess, err error) bool {
	if errors.Is(err, usage.ErrKilled) {
		z.forgetUsage(p)
	}
	return slices.Contains(z.usages, p)
}

func (z *Zone) scheduledUsage(ctx context.Context, p *usageProcess) {
	z.mu.Unlock()
	job, err := p.server.Run(ctx)
	z.mu.Lock()
	if !errors.Is(err, usage.ErrNotOwner) {
		z.usageLog("scheduled run", []usage.Job{job}, err)
	}
	if !z.usageAlive(p, err) {
		return
	}
	next := p.server.NextRun()
	if !next.After(z.now()) {
		next = z.now().Add(usage.HeartbeatEvery)
	}
	p.run = z.at(next, "scheduled usage run", func(ctx context.Context) { z.scheduledUsage(ctx, p) })
}

func (z *Zone) usageLog(what string, jobs []usage.Job, err error) {
	if err != nil && !errors.Is(err, usage.ErrKilled) && z.background.Err() == nil {
		z.log.Error("usage "+what, "err", err)
	}
	for _, j := range jobs {
		z.log.Debug("usage "+what, "job", j.ID, "success", j.Success, "start", j.Start, "end", j.End)
	}
}

// RunUsage queues a single job and lets the usage server that owns it find it at once, as generateUsageRecords and the
// next heartbeat would. A job whose window is empty ends without success, as on a real server.
func (z *Zone) RunUsage(ctx context.Context) (usage.Job, error) {
	z.mu.Lock()
	z.waitJobs()
	err := z.queueUsage(ctx)
	running := slices.Clone(z.usages)
	z.mu.Unlock()
	if err != nil {
		return usage.Job{}, err
	}
	for _, p := range running {
		jobs, err := p.server.Heartbeat(ctx)
		if err != nil {
			return usage.Job{}, err
		}
		if len(jobs) > 0 {
			return jobs[0], nil
		}
	}
	return usage.Job{}, fmt.Errorf("none of %d usage servers made a run", len(running))
}
