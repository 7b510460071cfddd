package push

import (
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router/logtext"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// requestLine is the management server's DEBUG line of logger com.cloud.agent.transport.Request. 4.19 logs through
// log4j 1, whose context stack has no brackets; 4.20 through log4j 2.
func (mgr *Manager) requestLine(at time.Time, o kernel.Origin, r *net.Router, seq int64, flags,
	commands string) string {
	stack := []string{"ctx-" + mgr.Hex(8)}
	if o.Job != "" {
		stack = append(stack, o.Job, "ctx-"+mgr.Hex(8))
	}
	context := strings.Join(stack, " ")
	if !mgr.On(release.LogContextPlain) {
		context = "[" + strings.Join(stack, ", ") + "]"
	}
	logID := o.LogID
	if logID == "" {
		logID = mgr.Hex(8)
	}
	host, name := int64(1), "SimulatedAgent"
	if r.Host != nil {
		host, name = r.Host.ID, r.Host.Name
	}
	if !mgr.On(release.PrivateKeysLogged) {
		commands = logtext.WithoutKeys(commands) // a sound server would not write them
	}
	return fmt.Sprintf("%s,%03d DEBUG [c.c.a.t.Request] (%s:%s) (logid:%s) Seq %d-%d: Executing:  { Cmd , "+
		"MgmtId: %d, via: %d(%s), Ver: v1, Flags: %s, [%s] }",
		at.Format("2006-01-02 15:04:05"), at.Nanosecond()/1e6, o.Thread, context, logID, host, seq,
		kernel.ManagementID, host, name, flags, commands)
}

// startCommands surrounds the command with what a starting router gets in the same request: the configuration that is
// applied in bulk ends with AggregationControlCommand Finish (facts: confirmed.md 19).
func startCommands(r *net.Router, guest, command string) string {
	control := func(action string) string {
		return fmt.Sprintf(`{"com.cloud.agent.api.routing.AggregationControlCommand":{"action":%q,`+
			`"accessDetails":{"router.name":%q,"router.ip":%q,"router.guest.ip":%q},`+
			`"wait":"0","bypassHostMaintenance":"false"}}`,
			action, r.Name, r.LinkIP, guest)
	}
	start := fmt.Sprintf(`{"com.cloud.agent.api.StartCommand":{"vm":{"id":"%d","name":%q,"state":"Starting",`+
		`"type":"DomainRouter"},"wait":"0","bypassHostMaintenance":"false"}}`,
		r.ID, r.Name)
	return strings.Join([]string{start, control("Start"), control("Finish"), command}, ",")
}
