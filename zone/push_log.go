package zone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
)

// managementID is the number by which the management server names itself in its log.
const managementID = 2130706433

// origin says who sends: what the log line's thread and logid show.
type origin struct {
	thread string // "API-Job-Executor-22" or "VmGroup-Monitor-1-1"
	job    string // "job-34", "" for the monitor
	logID  string // first eight digits of the job's uuid
}

type originKey struct{}

func jobOrigin(j *job) origin {
	return origin{thread: fmt.Sprintf("API-Job-Executor-%d", j.id), job: fmt.Sprintf("job-%d", j.id), logID: j.uuid[:8]}
}

// withOrigin marks what runs under ctx as the work of o.
func withOrigin(ctx context.Context, o origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

func originOf(ctx context.Context) origin {
	if o, ok := ctx.Value(originKey{}).(origin); ok {
		return o
	}
	return origin{thread: "API-Job-Executor-1"}
}

// requestLine is the management server's DEBUG line of logger com.cloud.agent.transport.Request. 4.19 logs through
// log4j 1, whose context stack has no brackets; 4.20 through log4j 2.
func (z *Zone) requestLine(at time.Time, o origin, r *Router, seq int64, flags, commands string) string {
	stack := []string{"ctx-" + z.hex(8)}
	if o.job != "" {
		stack = append(stack, o.job, "ctx-"+z.hex(8))
	}
	context := strings.Join(stack, " ")
	if !z.knobs[release.LogContextPlain] {
		context = "[" + strings.Join(stack, ", ") + "]"
	}
	logID := o.logID
	if logID == "" {
		logID = z.hex(8)
	}
	host, name := int64(1), "SimulatedAgent"
	if r.Host != nil {
		host, name = r.Host.ID, r.Host.Name
	}
	return fmt.Sprintf("%s,%03d DEBUG [c.c.a.t.Request] (%s:%s) (logid:%s) Seq %d-%d: Executing:  { Cmd , MgmtId: %d, via: %d(%s), Ver: v1, Flags: %s, [%s] }",
		at.Format("2006-01-02 15:04:05"), at.Nanosecond()/1e6, o.thread, context, logID, host, seq, managementID, host, name, flags, commands)
}

// startWork is the inner job that starts a VM on behalf of o.
func (o origin) startWork() origin {
	_, number, _ := strings.Cut(o.job, "-")
	if number == "" {
		number = "1"
	}
	o.thread, o.job = "Work-Job-Executor-"+number, o.job+"/job-"+number
	return o
}

// hex is n random hexadecimal digits.
func (z *Zone) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[z.number(len(digits))]
	}
	return string(b)
}

// startCommands surrounds the command with what a starting router gets in the same request: the configuration that is
// applied in bulk ends with AggregationControlCommand Finish (facts: confirmed.md 19).
func startCommands(r *Router, guest, command string) string {
	control := func(action string) string {
		return fmt.Sprintf(`{"com.cloud.agent.api.routing.AggregationControlCommand":{"action":%q,"accessDetails":{"router.name":%q,"router.ip":%q,"router.guest.ip":%q},"wait":"0","bypassHostMaintenance":"false"}}`,
			action, r.Name, r.LinkIP, guest)
	}
	start := fmt.Sprintf(`{"com.cloud.agent.api.StartCommand":{"vm":{"id":"%d","name":%q,"state":"Starting","type":"DomainRouter"},"wait":"0","bypassHostMaintenance":"false"}}`,
		r.ID, r.Name)
	return strings.Join([]string{start, control("Start"), control("Finish"), command}, ",")
}
