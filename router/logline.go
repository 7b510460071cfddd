package router

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
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
	logTime   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}`)
	logSeq    = regexp.MustCompile(`\bSeq (-?\d+)-(-?\d+): (?:Sending|Executing)\b`)
	logMgmt   = regexp.MustCompile(`\bMgmtId: (-?\d+)`)
	logFlags  = regexp.MustCompile(`\bFlags: [01]+, `)
	shortName = CommandName[strings.LastIndexByte(CommandName, '.')+1:]
)

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

// parseLine gives the pushes of a line: none, without an error, when it is no push line.
func parseLine(line string) ([]Push, error) {
	if !strings.Contains(line, shortName) {
		return nil, nil
	}
	seq := logSeq.FindStringSubmatch(line)
	flags := logFlags.FindStringIndex(line)
	if seq == nil || flags == nil || !strings.Contains(line[:flags[1]], "{ Cmd ") {
		return nil, nil
	}
	rest := line[flags[1]:]
	if !strings.HasPrefix(rest, "[") {
		return nil, fmt.Errorf("request Seq %s-%s names the command without its content: set the logger com.cloud "+
			"to DEBUG",
			seq[1], seq[2])
	}
	var array json.RawMessage
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&array); err != nil {
		return nil, fmt.Errorf("request Seq %s-%s: the command is cut short or damaged: %w", seq[1], seq[2], err)
	}
	pushes, err := parseCommands(array)
	if errors.Is(err, ErrNotPush) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("request Seq %s-%s: %w", seq[1], seq[2], err)
	}
	at := LogPosition{Agent: seq[1], Seq: seq[2]}
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

// ReadPushes reads a whole log and gives its pushes in order, lines of other kinds being skipped. A direct agent logs
// the same request twice, once as sending and once as executing: it is given once. Packed logs are the caller's work.
func ReadPushes(r io.Reader) ([]Push, error) {
	var all []Push
	type request struct{ mgmt, agent, seq string }
	seen := map[request]bool{}
	in := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, readErr := in.ReadString('\n')
		if readErr != nil && readErr != io.EOF {
			return all, fmt.Errorf("reading log line %d: %w", n, readErr)
		}
		pushes, err := parseLine(line)
		if err != nil {
			return all, fmt.Errorf("log line %d: %w", n, err)
		}
		if len(pushes) > 0 {
			at := pushes[0].Log
			key := request{at.MgmtID, at.Agent, at.Seq}
			if !seen[key] {
				for i := range pushes {
					pushes[i].Log.Line = n
				}
				all = append(all, pushes...)
			}
			seen[key] = true
		}
		if readErr == io.EOF {
			return all, nil
		}
	}
}
