package metering

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// queueUsage inserts a single job for the owner of the last open one, unless one is pending.
func (mgr *Manager) queueUsage(ctx context.Context) error {
	const (
		pending = "SELECT COUNT(*) FROM cloud_usage.usage_job WHERE job_type=1 AND scheduled=0 AND end_millis=0"
		owner   = "SELECT host, pid FROM cloud_usage.usage_job WHERE end_millis=0 ORDER BY id DESC LIMIT 1"
		queue   = "INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, start_millis, end_millis, " +
			"exec_time, heartbeat) VALUES (?,?,1,0,0,0,0,?)"
	)
	ctx = kernel.DBContext(ctx)
	var n int
	if err := mgr.DB().QueryRowContext(ctx, pending).Scan(&n); err != nil || n > 0 {
		return err
	}
	var host sql.Null[string]
	var pid sql.Null[int64]
	if err := mgr.DB().QueryRowContext(ctx, owner).Scan(&host, &pid); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("finding the usage server: %w", err)
	}
	_, err := mgr.DB().ExecContext(ctx, queue, host, pid.V, mgr.Now().Truncate(time.Second))
	return err
}

func usageCommands() []command {
	span := []param{{Name: "domainid", Type: "uuid:domain", About: "List events for the specified domain."},
		{Name: "startdate", Type: "date", About: "Start date range for usage record query."},
		{Name: "enddate", Type: "date", About: "End date range for usage record query."}}
	return []command{
		{
			Name: "generateUsageRecords", About: "Generates usage records. This will generate records only if " +
				"there any records to be generated, i.e if the scheduled usage job was not run or failed", Admin: true,
			Params: span, Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"success": true},
					mgr.queueUsage(c.Ctx)
			},
		},
		{
			Name: "removeRawUsageRecords", About: "Safely removes raw records from cloud_usage table", Admin: true,
			Params: []param{
				{Name: "interval", Type: "integer", Required: true, About: "Specify the number of days (greater " +
					"than zero) to remove records that are older than those number of days from today."},
			},
			Run: removeRawUsage,
		},
		{Name: "listUsageTypes", About: "List Usage Types", Admin: true, Run: listUsageTypes},
		{
			Name: "listUsageRecords", About: "Lists usage records for accounts", Admin: true,
			Params: []param{{Name: "startdate", Type: "date", Required: true, About: "Start date range for usage " +
				"record query."},
				{Name: "enddate", Type: "date", Required: true, About: "End date range for usage record query."},
				{Name: "account", Type: "string", About: "List usage records for the specified user."},
				{Name: "domainid", Type: "uuid:domain", About: "List usage records for the specified domain."},
				{Name: "accountid", Type: "uuid:account", About: "List usage records for the specified account"},
				{Name: "projectid", Type: "uuid:project", About: "List usage records for specified project"},
				{Name: "type", Type: "long", About: "List usage records for the specified usage type"},
				{Name: "usageid", Type: "string", About: "List usage records for the specified usage UUID. Can " +
					"be used only together with TYPE parameter."},
				{Name: "includetags", Type: "boolean", About: "Flag to enable display of Tags for a resource"},
				{Name: "oldformat", Type: "boolean", About: "Flag to enable description rendered in old format " +
					"which uses internal database IDs instead of UUIDs."},
				{Name: "isrecursive", Type: "boolean", About: "Specify if usage records should be fetched " +
					"recursively per domain."},
				{Name: "keyword", Type: "string", About: "List by keyword"},
				{Name: "page", Type: "integer"},
				{Name: "pagesize", Type: "integer"}},
			Run: listUsageRecords,
		},
	}
}

// removeRawUsage deletes old records, and only those: helper rows and events stay.
func removeRawUsage(mgr *Manager, c *kernel.Call) (obj, error) {
	days := c.Integer("interval", 0)
	if days <= 0 {
		return nil, api.Invalid("Interval should be greater than 0")
	}
	now := mgr.Now()
	exec := time.Date(now.Year(), now.Month(), now.Day(), 0, 15, 0, 0, time.UTC)
	if d := now.Sub(exec).Abs(); d < 15*time.Minute {
		return nil, api.Internal("Scheduled Usage job is running now; records can't be removed within 15 minutes " +
			"of its execution time")
	}
	_, err := mgr.DB().ExecContext(kernel.DBContext(c.Ctx), "DELETE FROM cloud_usage.cloud_usage WHERE end_date "+
		"< ?", now.AddDate(0, 0, -days))
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

func listUsageTypes(mgr *Manager, c *kernel.Call) (obj, error) {
	out := usageTypes()
	if mgr.On(release.UsageTypeJSONOld) {
		for i, t := range out {
			out[i] = obj{"usagetypeid": t["id"], "description": t["description"]}
		}
	}
	return obj{"count": len(out), "usagetype": out}, nil
}
