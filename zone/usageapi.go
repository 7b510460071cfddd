package zone

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/usage"
)

// usageFaultKnobs are the planted faults of the usage server, beside usage-close-nothing.
func usageFaultKnobs() []Knob {
	fault := func(name, about string) Knob { return Knob{Name: name, About: about, Part: "usage"} }
	return []Knob{
		fault("usage-close-wrong-date", "LB.DELETE closes the row with the time of the job instead of the event's"),
		fault("usage-close-twice", "LB.DELETE closes the account's next open row too"),
		fault("usage-row-vanishes", "LB.DELETE removes the row instead of closing it"),
		fault("usage-create-row-twice", "LB.CREATE opens two rows"),
		fault("usage-event-lost", "the oldest new LB event of each run is not copied"),
		fault("usage-event-processed-twice", "each LB event is handled twice"),
		fault("usage-events-left-unprocessed", "LB events stay unprocessed"),
		fault("usage-record-after-close", "closed rows still get full records"),
		fault("usage-record-too-long", "records have the slice's length whatever the rule's life was"),
		fault("usage-record-missing", "the first LB record of each account and slice is not written"),
		fault("usage-record-duplicate", "the first LB record of each account and slice is written twice"),
		fault("usage-wrong-account", "LB records are booked to the next account"),
		fault("usage-skip-window", "every second run writes nothing for its last slice and reports success"),
		fault("usage-overlap-window", "each window begins one range too early"),
	}
}

// openUsage starts the usage server: its rules from the release's knobs, its faults from planted ones.
func (z *Zone) openUsage(ctx context.Context) error {
	broken := z.knobs["usage-close-by-helper-id"]
	server, err := usage.New(z.store.db, usage.Options{
		Rules: usage.Rules{
			CloseByHelperPK: broken, StorageByHelperPK: broken, SnapshotByHelperPK: broken,
			NetworkModelOld: z.knobs["network-usage-model-old"], CleanOwnJobsAtStart: z.knobs["usage-clean-own-jobs-at-start"],
		},
		Faults: usage.Faults{
			CloseNothing: z.knobs["usage-close-nothing"], CloseWrongDate: z.knobs["usage-close-wrong-date"], CloseTwice: z.knobs["usage-close-twice"],
			RowVanishes: z.knobs["usage-row-vanishes"], CreateRowTwice: z.knobs["usage-create-row-twice"], EventLost: z.knobs["usage-event-lost"],
			EventProcessedTwice: z.knobs["usage-event-processed-twice"], EventsLeftUnprocessed: z.knobs["usage-events-left-unprocessed"],
			RecordAfterClose: z.knobs["usage-record-after-close"], RecordTooLong: z.knobs["usage-record-too-long"], RecordMissing: z.knobs["usage-record-missing"],
			RecordDuplicate: z.knobs["usage-record-duplicate"], WrongAccount: z.knobs["usage-wrong-account"], SkipWindow: z.knobs["usage-skip-window"],
			OverlapWindow: z.knobs["usage-overlap-window"],
		},
		Clock: z.clock, Range: 1, Log: z.log,
	})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return fmt.Errorf("starting the usage server: %w", err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.usage = server
	z.at(z.now().Add(usage.HeartbeatDelay), "usage heartbeat", z.beat)
	z.at(server.NextRun(), "scheduled usage run", z.scheduledUsage)
	return nil
}

// beat is the usage server's heartbeat; it runs jobs that were asked for. The zone's lock is released meanwhile.
func (z *Zone) beat(ctx context.Context) {
	z.mu.Unlock()
	jobs, err := z.usage.Heartbeat(ctx)
	z.mu.Lock()
	z.usageLog("heartbeat", jobs, err)
	z.at(z.now().Add(usage.HeartbeatEvery), "usage heartbeat", z.beat)
}

func (z *Zone) scheduledUsage(ctx context.Context) {
	z.mu.Unlock()
	job, err := z.usage.Run(ctx)
	z.mu.Lock()
	if !errors.Is(err, usage.ErrNotOwner) {
		z.usageLog("scheduled run", []usage.Job{job}, err)
	}
	next := z.usage.NextRun()
	if !next.After(z.now()) {
		next = z.now().Add(usage.HeartbeatEvery)
	}
	z.at(next, "scheduled usage run", z.scheduledUsage)
}

func (z *Zone) usageLog(what string, jobs []usage.Job, err error) {
	if err != nil && z.background.Err() == nil {
		z.log.Error("usage "+what, "err", err)
	}
	for _, j := range jobs {
		z.log.Debug("usage "+what, "job", j.ID, "success", j.Success, "start", j.Start, "end", j.End)
	}
}

// RunUsage queues a single job and lets the usage server find it at once, as generateUsageRecords and the next heartbeat
// would. A job whose window is empty ends without success, as on a real server.
func (z *Zone) RunUsage(ctx context.Context) (usage.Job, error) {
	z.mu.Lock()
	z.waitJobs()
	err := z.queueUsage(ctx)
	z.mu.Unlock()
	if err != nil {
		return usage.Job{}, err
	}
	jobs, err := z.usage.Heartbeat(ctx)
	if err != nil {
		return usage.Job{}, err
	}
	if len(jobs) == 0 {
		return usage.Job{}, errors.New("the usage server made no run")
	}
	return jobs[0], nil
}

// queueUsage inserts a single job for the owner of the last open one, unless one is pending.
func (z *Zone) queueUsage(ctx context.Context) error {
	const (
		pending = "SELECT COUNT(*) FROM cloud_usage.usage_job WHERE job_type=1 AND scheduled=0 AND end_millis=0"
		owner   = "SELECT host, pid FROM cloud_usage.usage_job WHERE end_millis=0 ORDER BY id DESC LIMIT 1"
		queue   = "INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, start_millis, end_millis, exec_time, heartbeat) VALUES (?,?,1,0,0,0,0,?)"
	)
	ctx = dbContext(ctx)
	var n int
	if err := z.store.db.QueryRowContext(ctx, pending).Scan(&n); err != nil || n > 0 {
		return err
	}
	var host sql.Null[string]
	var pid sql.Null[int64]
	if err := z.store.db.QueryRowContext(ctx, owner).Scan(&host, &pid); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("finding the usage server: %w", err)
	}
	_, err := z.store.db.ExecContext(ctx, queue, host, pid.V, z.now().Truncate(time.Second))
	return err
}

func (z *Zone) usageCommands() []command {
	span := []param{{"domainid", "uuid:domain", false, "List events for the specified domain."}, {"startdate", "date", false, "Start date range for usage record query."}, {"enddate", "date", false, "End date range for usage record query."}}
	return []command{
		{
			name: "generateUsageRecords", about: "Generates usage records. This will generate records only if there any records to be generated, i.e if the scheduled usage job was not run or failed", admin: true,
			params: span, run: func(c *call) (obj, error) { return obj{"success": true}, c.z.queueUsage(c.ctx) },
		},
		{
			name: "removeRawUsageRecords", about: "Safely removes raw records from cloud_usage table", admin: true,
			params: []param{{"interval", "integer", true, "Specify the number of days (greater than zero) to remove records that are older than those number of days from today."}},
			run:    (*call).removeRawUsage,
		},
		{name: "listUsageTypes", about: "List Usage Types", admin: true, run: (*call).listUsageTypes},
		{
			name: "listUsageRecords", about: "Lists usage records for accounts", admin: true,
			params: []param{{"startdate", "date", true, "Start date range for usage record query."}, {"enddate", "date", true, "End date range for usage record query."},
				{"account", "string", false, "List usage records for the specified user."}, {"domainid", "uuid:domain", false, "List usage records for the specified domain."},
				{"accountid", "uuid:account", false, "List usage records for the specified account"}, {"type", "long", false, "List usage records for the specified usage type"},
				{"usageid", "string", false, "List usage records for the specified usage UUID. Can be used only together with TYPE parameter."},
				{"includetags", "boolean", false, "Flag to enable display of Tags for a resource"}, {"oldformat", "boolean", false, "Flag to enable description rendered in old format which uses internal database IDs instead of UUIDs."},
				{"isrecursive", "boolean", false, "Specify if usage records should be fetched recursively per domain."},
				{"keyword", "string", false, "List by keyword"}, {"page", "integer", false, ""}, {"pagesize", "integer", false, ""}},
			run: (*call).listUsageRecords,
		},
	}
}

// removeRawUsage deletes old records, and only those: helper rows and events stay.
func (c *call) removeRawUsage() (obj, error) {
	days := c.integer("interval", 0)
	if days <= 0 {
		return nil, api.Invalid("Interval should be greater than 0")
	}
	now := c.z.now()
	exec := time.Date(now.Year(), now.Month(), now.Day(), 0, 15, 0, 0, time.UTC)
	if d := now.Sub(exec).Abs(); d < 15*time.Minute {
		return nil, api.Internal("Scheduled Usage job is running now; records can't be removed within 15 minutes of its execution time")
	}
	_, err := c.z.store.db.ExecContext(dbContext(c.ctx), "DELETE FROM cloud_usage.cloud_usage WHERE end_date < ?", now.AddDate(0, 0, -days))
	return obj{"success": true}, err
}

func usageTypes() []obj {
	var out []obj
	for _, line := range strings.Split(`1 RUNNING_VM Running Vm Usage
2 ALLOCATED_VM Allocated Vm Usage
3 IP_ADDRESS IP Address Usage
4 NETWORK_BYTES_SENT Network Usage (Bytes Sent)
5 NETWORK_BYTES_RECEIVED Network Usage (Bytes Received)
6 VOLUME Volume Usage
7 TEMPLATE Template Usage
8 ISO ISO Usage
9 SNAPSHOT Snapshot Usage
10 SECURITY_GROUP Security Group Usage
11 LOAD_BALANCER_POLICY Load Balancer Usage
12 PORT_FORWARDING_RULE Port Forwarding Usage
13 NETWORK_OFFERING Network Offering Usage
14 VPN_USERS VPN users usage
21 VM_DISK_IO_READ VM Disk usage(I/O Read)
22 VM_DISK_IO_WRITE VM Disk usage(I/O Write)
23 VM_DISK_BYTES_READ VM Disk usage(Bytes Read)
24 VM_DISK_BYTES_WRITE VM Disk usage(Bytes Write)
25 VM_SNAPSHOT VM Snapshot storage usage
26 VOLUME_SECONDARY Volume on secondary storage usage
27 VM_SNAPSHOT_ON_PRIMARY VM Snapshot on primary storage usage
28 BACKUP Backup storage usage
29 BUCKET Bucket storage usage
30 NETWORK Network usage
31 VPC VPC usage`, "\n") {
		parts := strings.SplitN(line, " ", 3)
		id, _ := strconv.Atoi(parts[0])
		out = append(out, obj{"id": id, "name": parts[1], "description": parts[2]})
	}
	return out
}

func (c *call) listUsageTypes() (obj, error) {
	out := usageTypes()
	if c.z.knobs["usage-type-json-old"] {
		for i, t := range out {
			out[i] = obj{"usagetypeid": t["id"], "description": t["description"]}
		}
	}
	return obj{"count": len(out), "usagetype": out}, nil
}
