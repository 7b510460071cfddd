package metering

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/usage"
)

// usageProcess is one usage server: a process on a host. A zone has one; a lab may kill it and start others.
type usageProcess struct {
	Host      string
	Server    *usage.Server
	beat, run *kernel.Task
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
func (mgr *Manager) StartUsage(ctx context.Context, host string, s UsageSettings) error {
	if s.Range == 0 {
		s.Range = 1
	}
	mgr.Lock()
	mgr.usagePID++
	options := usage.Options{Rules: usage.RulesOf(mgr.Knobs()), Faults: mgr.usageFaults(), Clock: mgr.Clock,
		Range: s.Range, Aggregation: s.Aggregation, Execution: s.Execution,
		Host: host, PID: mgr.usagePID, Log: mgr.Log, TieSeed: mgr.tieSeed()}
	mgr.Unlock()
	server, err := usage.New(mgr.DB(), options)
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return fmt.Errorf("starting the usage server: %w", err)
	}
	mgr.Lock()
	defer mgr.Unlock()
	p := &usageProcess{Host: host, Server: server}
	mgr.Usages = append(mgr.Usages, p)
	p.beat = mgr.At(mgr.Now().Add(usage.HeartbeatDelay), "usage heartbeat",
		func(ctx context.Context) { mgr.beat(ctx, p) })
	p.run = mgr.At(server.NextRun(), "scheduled usage run", func(ctx context.Context) { mgr.scheduledUsage(ctx, p) })
	return nil
}

// EndUsage ends the usage server on a host.
func (mgr *Manager) EndUsage(ctx context.Context, host string, how UsageEnd) error {
	mgr.Lock()
	i := slices.IndexFunc(mgr.Usages, func(p *usageProcess) bool { return p.Host == host })
	if i < 0 {
		mgr.Unlock()
		return fmt.Errorf("no usage server runs on %s", host)
	}
	p := mgr.Usages[i]
	if how != UsageKilledInRun {
		mgr.forgetUsage(p)
	}
	mgr.Unlock()
	if how == UsageKilledInRun {
		p.Server.KillInRun()
		return nil
	}
	return p.Server.Stop(ctx, how == UsageStopped)
}

// forgetUsage takes back what a process had planned. The lock must be held.
func (mgr *Manager) forgetUsage(p *usageProcess) {
	mgr.Usages = slices.DeleteFunc(mgr.Usages, func(o *usageProcess) bool { return o == p })
	mgr.Cancel(p.beat)
	mgr.Cancel(p.run)
}

// beat is a usage server's heartbeat; it runs jobs that were asked for. The zone's lock is released meanwhile.
func (mgr *Manager) beat(ctx context.Context, p *usageProcess) {
	mgr.Unlock()
	jobs, err := p.Server.Heartbeat(ctx)
	mgr.Lock()
	mgr.usageLog("heartbeat", jobs, err)
	if mgr.usageAlive(p, err) {
		p.beat = mgr.At(mgr.Now().Add(usage.HeartbeatEvery), "usage heartbeat",
			func(ctx context.Context) { mgr.beat(ctx, p) })
	}
}

// usageAlive is false for a process that was ended, or was killed in its last run.
func (mgr *Manager) usageAlive(p *usageProcess, err error) bool {
	if errors.Is(err, usage.ErrKilled) {
		mgr.forgetUsage(p)
	}
	return slices.Contains(mgr.Usages, p)
}

func (mgr *Manager) scheduledUsage(ctx context.Context, p *usageProcess) {
	mgr.Unlock()
	job, err := p.Server.Run(ctx)
	mgr.Lock()
	if !errors.Is(err, usage.ErrNotOwner) {
		mgr.usageLog("scheduled run", []usage.Job{job}, err)
	}
	if !mgr.usageAlive(p, err) {
		return
	}
	next := p.Server.NextRun()
	if !next.After(mgr.Now()) {
		next = mgr.Now().Add(usage.HeartbeatEvery)
	}
	p.run = mgr.At(next, "scheduled usage run", func(ctx context.Context) { mgr.scheduledUsage(ctx, p) })
}

func (mgr *Manager) usageLog(what string, jobs []usage.Job, err error) {
	if err != nil && !errors.Is(err, usage.ErrKilled) && !mgr.Stopped() {
		mgr.Log.Error("usage "+what, "err", err)
	}
	for _, j := range jobs {
		mgr.Log.Debug("usage "+what, "job", j.ID, "success", j.Success, "start", j.Start, "end", j.End)
	}
}

// RunUsage queues a single job and lets the usage server that owns it find it at once, as generateUsageRecords and the
// next heartbeat would. A job whose window is empty ends without success, as on a real server.
func (mgr *Manager) RunUsage(ctx context.Context) (usage.Job, error) {
	mgr.Lock()
	mgr.WaitJobs()
	err := mgr.queueUsage(ctx)
	running := slices.Clone(mgr.Usages)
	mgr.Unlock()
	if err != nil {
		return usage.Job{}, err
	}
	for _, p := range running {
		jobs, err := p.Server.Heartbeat(ctx)
		if err != nil {
			return usage.Job{}, err
		}
		if len(jobs) > 0 {
			return jobs[0], nil
		}
	}
	return usage.Job{}, fmt.Errorf("none of %d usage servers made a run", len(running))
}
