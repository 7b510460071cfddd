package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/stackproof/stackproof/router/logtext"
)

// LogPosition is what a management server's log line says about a push besides the command.
type LogPosition struct {
	Time   time.Time // the server's local time, millisecond resolution; the log names no zone, so UTC is assumed
	Agent  string    // id of the host that the push goes to
	Seq    string    // number of the request on that host
	MgmtID string    // id of the management server
	Line   int       // 1-based line of the log; 0 for a single line
}

var (
	logTime = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}`)
	// A management server sends or executes a request; the agent of a host says that it has one.
	logSeq    = regexp.MustCompile(`\b(?:Seq (-?\d+)-(-?\d+): (?:Sending|Executing)\b|Request:Seq (-?\d+)-(-?\d+): )`)
	logMgmt   = regexp.MustCompile(`\bMgmtId: (-?\d+)`)
	logFlags  = regexp.MustCompile(`\bFlags: ?[01]+, ?`)
	shortName = CommandName[strings.LastIndexByte(CommandName, '.')+1:]
)

// requestOf gives the agent and the sequence number of the request that a line names.
func requestOf(line string) (agent, seq string, ok bool) {
	m := logSeq.FindStringSubmatch(line)
	if m == nil {
		return "", "", false
	}
	return m[1] + m[3], m[2] + m[4], true
}

// ParseLogLine reads one line of a management server's log, of any release from 4.16. It says false, without an error,
// when the line is not one that sends or executes a LoadBalancerConfigCommand. When a request carries several, it gives
// the last: the later one replaces the former on the router. ReadPushes gives them all.
func ParseLogLine(line string) (Push, bool, error) {
	pushes, err := parseLine(line)
	if err != nil {
		return Push{}, true, fmt.Errorf("reading a log line: %w", err)
	}
	if len(pushes) == 0 {
		return Push{}, false, nil
	}
	return pushes[len(pushes)-1], true, nil
}

// NoContentError is a request that is logged without its content, as a logger above DEBUG does.
type NoContentError struct{ Seq string } // agent and sequence number

func (e *NoContentError) Error() string {
	return fmt.Sprintf("request Seq %s names the command without its content: set the logger com.cloud to DEBUG", e.Seq)
}

// parseLine gives the pushes of a line: none, without an error, when it is no push line.
func parseLine(line string) ([]Push, error) {
	line = logtext.Unescape(line)
	if !strings.Contains(line, shortName) {
		return nil, nil
	}
	agent, seq, ok := requestOf(line)
	flags := logFlags.FindStringIndex(line)
	if !ok || flags == nil || !strings.Contains(line[:flags[1]], "{ Cmd ") {
		return nil, nil
	}
	rest := line[flags[1]:]
	if !strings.HasPrefix(rest, "[") {
		return nil, &NoContentError{Seq: agent + "-" + seq}
	}
	var array json.RawMessage
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&array); err != nil {
		return nil, fmt.Errorf("request Seq %s-%s: the command is cut short or damaged: %w", agent, seq, err)
	}
	pushes, err := parseCommands(array)
	if errors.Is(err, ErrNotPush) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("request Seq %s-%s: %w", agent, seq, err)
	}
	at := LogPosition{Agent: agent, Seq: seq}
	if m := logMgmt.FindStringSubmatch(line); m != nil {
		at.MgmtID = m[1]
	}
	if t, err := time.Parse("2006-01-02 15:04:05,000", logTime.FindString(line)); err == nil {
		at.Time = t
	}
	for i := range pushes {
		pushes[i].Log = at
	}
	return pushes, nil
}
