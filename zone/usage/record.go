package usage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Record is a row of cloud_usage.cloud_usage. Fields of type any are nullable columns.
type Record struct {
	ZoneID, AccountID, DomainID int64
	Description, Display        string
	UsageType                   int
	RawUsage                    float64 // hours
	VMInstanceID, VMName        any
	CPUCores, CPUSpeed, Memory  any
	OfferingID, TemplateID      any
	UsageID, Type               any
	Size, VirtualSize           any
	NetworkID                   any
	Start, End                  time.Time
	Hidden                      bool
	State                       any
}

// Hours converts a duration as CloudStack does, in 32-bit floating point: one minute is 0.01666666753590107.
func Hours(length time.Duration) float64 {
	hours := float32(length.Milliseconds())
	hours /= 1000
	hours /= 60
	hours /= 60
	return float64(hours)
}

// Display is a usage as shown: hours with up to six decimals, trailing zeros dropped ("0.016667 Hrs", "24 Hrs").
func Display(hours float64) string {
	text := strconv.FormatFloat(hours, 'f', 6, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " Hrs"
}

// humanSize is a column that holds bytes as descriptions show it (NumbersUtil.toHumanReadableSize@4.20.0.0).
func (r row) humanSize(name string) string {
	if r[name] == nil {
		return "null"
	}
	size := r.integer(name)
	units := []struct {
		limit, unit float32
		format      string
	}{
		{1 << 20, 1 << 10, "%.2f KB"}, {1 << 30, 1 << 20, "%.2f MB"}, {1 << 40, 1 << 30, "%.2f GB"},
	}
	short := fmt.Sprintf("%.4f TB", float32(size)/(1<<40))
	for _, u := range units {
		if float32(size) < u.limit {
			short = fmt.Sprintf(u.format, float32(size)/u.unit)
			break
		}
	}
	if size >= 0 && size < 1<<10 {
		short = fmt.Sprintf("%d bytes", size)
	}
	return fmt.Sprintf("(%s) %d", short, size)
}

// writeAtOnce is how many records one statement inserts.
const writeAtOnce = 250

func (p billing) write(ctx context.Context, records []Record) error {
	const columns = "zone_id, account_id, domain_id, description, usage_display, usage_type, raw_usage, " +
		"vm_instance_id, vm_name, " +
		"cpu_cores, cpu_speed, memory, offering_id, template_id, usage_id, type, size, virtual_size, network_id, " +
		"start_date, end_date, is_hidden, state"
	for len(records) > 0 {
		some := records[:min(len(records), writeAtOnce)]
		records = records[len(some):]
		var values []any
		for _, r := range some {
			values = append(values, r.ZoneID, r.AccountID, r.DomainID, r.Description, r.Display, r.UsageType,
				r.RawUsage,
				r.VMInstanceID, r.VMName, r.CPUCores, r.CPUSpeed, r.Memory, r.OfferingID, r.TemplateID, r.UsageID,
				r.Type,
				r.Size, r.VirtualSize, r.NetworkID, second(r.Start), second(r.End), r.Hidden, r.State)
		}
		if len(p.options.Faults.Wrong) > 0 {
			names := strings.Split(columns, ", ")
			for i := range values {
				values[i] = p.options.Faults.written("cloud_usage", names[i%len(names)], values[i])
			}
		}
		marks := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
		query := "INSERT INTO cloud_usage.cloud_usage (" + columns + ") VALUES " + marks +
			strings.Repeat(", "+marks, len(some)-1)
		if _, err := p.tx.ExecContext(ctx, query, values...); err != nil {
			return fmt.Errorf("usage: writing %d records: %w", len(some), err)
		}
	}
	return nil
}
