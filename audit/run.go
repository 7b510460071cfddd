package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Progress is how far an audit is.
type Progress struct {
	Stage     string
	Done      int64 // ids looked at, of Total
	Total     int64
	Remaining time.Duration // as far as the speed so far tells; 0 while it tells nothing
	// Busy is how many statements the database has at work while the audit waits for it (Options.MaxLoad), else 0.
	Busy int
}

// heapGrowth is how much the heap may grow, in percent of what is in use, before it is collected. What an audit keeps
// has no pointers, so collecting more often than usual costs next to nothing and saves a quarter of the memory.
const heapGrowth = 50

// Run audits a site. It answers all or nothing: with an error there is no result. While it works the whole process
// collects its garbage more often.
func Run(ctx context.Context, o Options) (_ *Result, err error) {
	began := time.Now()
	usual := debug.SetGCPercent(heapGrowth)
	defer debug.SetGCPercent(usual)
	if usual >= 0 && usual < heapGrowth { // somebody wants even less
		debug.SetGCPercent(usual)
	}
	s, err := openSite(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &Result{Started: began.UTC()}
	if err := s.describe(ctx, r); err != nil {
		return nil, err
	}
	if err := run(ctx, o, s, r); err != nil {
		return nil, fmt.Errorf("the audit ended half-way and has no result: %w", err)
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

func run(ctx context.Context, o Options, s *site, r *Result) error {
	meter, err := newMeter(ctx, o, s)
	if err != nil {
		return err
	}
	l := newLedger(s)
	jobs, err := l.readJobs(ctx)
	if err != nil {
		return err
	}
	r.Jobs = jobs.Jobs
	if jobs.LastEnd != nil {
		r.Site.Covered = jobs.LastEnd
	}
	a := &accounting{judging: &judging{ledger: l, result: r}, counted: counted{Seen: map[uint64]int64{}}}
	if err := a.load(ctx, meter); err != nil {
		return err
	}
	meter.stage("judging")
	a.all()
	r.sortFindings()
	r.Site.Events = l.copied
	a.linesOf()
	l.release()
	meter.stage("records")
	if err := a.records(ctx, o.Resume, meter); err != nil {
		return err
	}
	if err := a.repetitions(ctx); err != nil {
		return err
	}
	r.Site.Records = a.Read
	a.settle()
	meter.stage("checks")
	if err := a.finish(ctx, o, jobs); err != nil {
		return err
	}
	meter.stage("done")
	return nil
}

// load brings rows, events and living resources together.
func (a *accounting) load(ctx context.Context, meter *meter) error {
	meter.stage("accounts")
	if err := a.accountNames(ctx); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"helper rows", a.loadRows}, {"events", a.loadEvents}, {"living resources", a.loadLive}} {
		meter.stage(step.name)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// finish makes the checks, names what was not looked at, and finds the uuids of what lives.
func (a *accounting) finish(ctx context.Context, o Options, jobs *chain) error {
	checks, err := a.usageChecks(ctx, jobs)
	if err != nil {
		return err
	}
	more, err := a.balancerChecks(ctx, o)
	if err != nil {
		return err
	}
	a.result.Checks = append(checks, more...)
	for _, table := range a.unread {
		a.result.Notes = append(
			a.result.Notes,
			table+" is not there or not readable: what it would tell is judged by events alone, or not at all",
		)
	}
	if a.two {
		apart := a.usage.taken.Sub(a.cloud.taken).Round(time.Second)
		a.result.Notes = append(
			a.result.Notes,
			fmt.Sprintf(
				"the schemas are on two servers, and their snapshots are %s apart: what happened in between may "+
					"look wrong",
				apart.Abs(),
			),
		)
	}
	return a.identify(ctx)
}

// release drops what only the judging needed, before the records come.
func (l *ledger) release() {
	l.events = chunks[happening]{}
	for _, s := range l.stores {
		s.index, s.parts, s.resources, s.rows = nil, nil, chunks[resource]{}, chunks[metering]{}
	}
}

func (j *judging) accountNames(ctx context.Context) error {
	j.names = map[uint32]string{}
	return j.cloud.scan(ctx, "account", []string{"COALESCE(account_name, '')"}, "", func(id int64, f *fields) error {
		j.names[uint32(id)] = string(f.text()) // see fields.id
		return nil
	})
}

// identify finds the uuids of findings whose resource is still in cloud.
func (a *accounting) identify(ctx context.Context) error {
	tables := map[usageprobe.Kind]string{
		usageprobe.KindLB:          "firewall_rules",
		usageprobe.KindPF:          "firewall_rules",
		usageprobe.KindIP:          "user_ip_address",
		usageprobe.KindNetwork:     "networks",
		usageprobe.KindVPC:         "vpc",
		usageprobe.KindVMRunning:   "vm_instance",
		usageprobe.KindVMAllocated: "vm_instance",
		usageprobe.KindVolume:      "volumes",
		usageprobe.KindVolumeOfVM:  "volumes",
		usageprobe.KindSnapshot:    "snapshots",
	}
	wanted := map[string]map[int64][]int{}
	for i, f := range a.result.Findings {
		table := tables[f.Kind]
		if table == "" || !a.cloud.has(table, "id", "uuid") {
			continue
		}
		if wanted[table] == nil {
			wanted[table] = map[int64][]int{}
		}
		wanted[table][f.ID] = append(wanted[table][f.ID], i)
	}
	for table, of := range wanted {
		ids := sortedKeys(of)
		for from := 0; from < len(ids); from += 1000 {
			query := "SELECT id, uuid FROM cloud." + table + " WHERE uuid IS NOT NULL AND id IN (" +
				list(ids[from:min(from+1000, len(ids))]) + ")"
			err := a.cloud.each(ctx, query, func(scan func(...any) error) error {
				var id int64
				var uuid string
				if err := scan(&id, &uuid); err != nil {
					return err
				}
				for _, i := range of[id] {
					a.result.Findings[i].UUID = uuid
				}
				return nil
			})
			if err != nil {
				return a.cloud.failed("reading uuids", err)
			}
		}
	}
	return nil
}
