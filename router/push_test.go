package router

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func recordedLog(tb testing.TB, release string) []Push {
	tb.Helper()
	f, err := os.Open(conformance(release, "lb-config-commands.log"))
	require.NoError(tb, err)
	defer f.Close()
	pushes, _, err := ReadPushes(f)
	require.NoError(tb, err)
	require.NotEmpty(tb, pushes)
	return pushes
}

func storyB(tb testing.TB) []Push {
	tb.Helper()
	f, err := os.Open(conformance("4.19.1.0", "story-b-50-groups.log.gz"))
	require.NoError(tb, err)
	defer f.Close()
	log, err := gzip.NewReader(f)
	require.NoError(tb, err)
	pushes, _, err := ReadPushes(log)
	require.NoError(tb, err)
	return pushes
}

func TestReadRecordedLogs(t *testing.T) {
	for _, release := range []string{"4.19.1.0", "4.20.0.0"} {
		data, err := os.ReadFile(conformance(release, "lb-config-commands.log"))
		require.NoError(t, err)
		pushes := recordedLog(t, release)
		assert.Len(t, pushes, bytes.Count(data, []byte(`"`+CommandName+`"`)), release)
		for _, p := range pushes {
			assert.Regexp(t, `^r-\d+-VM$`, p.Router())
			assert.NotEmpty(t, p.Log.Agent)
			assert.NotEmpty(t, p.Log.Seq)
			assert.NotEmpty(t, p.Log.MgmtID)
			assert.Equal(t, 2026, p.Log.Time.Year())
			again, err := ParsePush(p.Raw)
			require.NoError(t, err)
			again.Log, again.Aggregated = p.Log, p.Aggregated
			assert.Equal(t, p, again)
		}
	}
}

func TestParseLogLineFields(t *testing.T) {
	line := `2026-11-21 22:15:52,427 DEBUG [c.c.a.t.Request] (x) Seq 3-612: Sending  { Cmd , MgmtId: 328, via: 3(a), Ver: v1, Flags: 100001, [{"` +
		CommandName + `":{"loadBalancers":[{"uuid":"u","srcIp":"192.0.2.1","srcPort":80,"algorithm":"source","revoked":false,"inline":"false",` +
		`"lbProtocol":"tcp-proxy","cidrList":"10.0.0.0/8","destinations":[{"destIp":"10.0.0.1","destPort":"8080","revoked":"true"}],` +
		`"stickinessPolicies":[null,{"methodName":"LbCookie","params":[{"t":"nocache"},{"t":"cookie-name","u":"S"}]}]}],` +
		`"maxconn":4096,"keepAliveEnabled":true,"vpcId":"1","accessDetails":{"router.name":"r-3-VM"}}}] }`
	p, ok, err := ParseLogLine(line)
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, LogPosition{Time: time.Date(2026, 11, 21, 22, 15, 52, 427e6, time.UTC), Agent: "3", Seq: "612",
		MgmtID: "328"}, p.Log)
	p.Log, p.Raw = LogPosition{}, nil
	assert.Equal(t, Push{
		LoadBalancers: []LoadBalancer{{UUID: "u", SrcIP: "192.0.2.1", SrcPort: 80, Algorithm: "source",
			LBProtocol: "tcp-proxy",
			CIDRList:   "10.0.0.0/8", Destinations: []Destination{{IP: "10.0.0.1", Port: 8080, Revoked: true}},
			Stickiness: []Stickiness{{Method: "LbCookie", Params: []Param{{Name: "nocache", Null: true},
				{Name: "cookie-name", Value: "S"}}}}}},
		StatsVisibility: "guest-network",
		StatsPort:       "8081",
		StatsSrcCIDRs:   "0/0",
		StatsAuth:       "admin1:AdMiN123",
		StatsURI:        "/admin?stats",
		MaxConn:         "4096",
		IdleTimeout:     50000,
		KeepAlive:       true,
		VPCID:           "1",
		AccessDetails:   map[string]string{"router.name": "r-3-VM"},
	}, p)

	both := line + "\n" + strings.Replace(line, "Sending", "Executing", 1) + "\nother\n" +
		strings.Replace(line, "3-612", "3-613", 1)
	pushes, _, err := ReadPushes(strings.NewReader(both))
	require.NoError(t, err)
	require.Len(t, pushes, 2, "one request is logged as sending and as executing")
	assert.Equal(t, 4, pushes[1].Log.Line)
}

func TestParseLogLineOthers(t *testing.T) {
	for _, line := range []string{"", "anything", "LoadBalancerConfigCommand was slow",
		`Seq 1-2: Processing:  { Ans: , MgmtId: 1, via: 1, Ver: v1, Flags: 10, [{"com.cloud.agent.api.routing.LoadBalancerConfigCommand":{}}] }`,
		`Seq 1-2: Executing:  { Cmd , MgmtId: 1, via: 1, Ver: v1, Flags: 10, [{"x.Other":{"text":"LoadBalancerConfigCommand"}}] }`} {
		_, ok, err := ParseLogLine(line)
		assert.NoError(t, err, line)
		assert.False(t, ok, line)
	}
}

func TestParseFaults(t *testing.T) {
	line := `Seq 1-2: Executing:  { Cmd , MgmtId: 1, via: 1, Ver: v1, Flags: 10, `
	for in, want := range map[string]string{
		line + `{ LoadBalancerConfigCommand } }`:                           "set the logger com.cloud to DEBUG",
		line + `[{"` + CommandName + `":{"loadBal`:                         "cut short or damaged",
		line + `[{"` + CommandName + `":{"loadBalancers":[{}]}}] }`:        "command 0: loadBalancers[0].srcIp: missing",
		line + `[{"x":{}},{"` + CommandName + `":7}] }`:                    "command 1: a JSON number, want an object",
		line + `[{"` + CommandName + `":{"loadBalancers":[],"maxconn":[]}`: "cut short",
	} {
		_, ok, err := ParseLogLine(in)
		assert.True(t, ok, in)
		assert.ErrorContains(t, err, want)
		_, _, err = ReadPushes(strings.NewReader("\n" + in))
		assert.ErrorContains(t, err, "log line 2: ")
	}
	for in, want := range map[string]string{
		``:                                  "not JSON",
		`{"loadBalancers":{}}`:              "loadBalancers: a JSON object, want an array",
		`{"loadBalancers":[7]}`:             "loadBalancers[0]: a JSON number, want an object",
		`{"loadBalancers":[],"maxconn":[]}`: "maxconn: a JSON array, want a text",
		`{"loadBalancers":[{"srcIp":"a","srcPort":"70000"}]}`:                                                     `loadBalancers[0].srcPort: "70000" is not a port`,
		`{"loadBalancers":[{"srcIp":"a","srcPort":1,"revoked":"yes"}]}`:                                           `loadBalancers[0].revoked: "yes" is neither true nor false`,
		`{"loadBalancers":[{"srcIp":"a","srcPort":1},{"srcIp":"a","srcPort":1,"destinations":[{"destIp":"b"}]}]}`: "loadBalancers[1].destinations[0].destPort: missing",
		`{"loadBalancers":[],"accessDetails":[]}`:                                                                 "accessDetails: a JSON array, want an object",
		`[]`:   "an array of 0 commands",
		`[7]`:  "not of commands",
		`null`: "a JSON null",
	} {
		_, err := ParsePush([]byte(in))
		assert.ErrorContains(t, err, want, in)
	}
}

func TestAggregatedPush(t *testing.T) {
	control := func(action string) string { return `{"` + aggregationCommand + `":{"action":"` + action + `"}}` }
	push := `{"` + CommandName + `":{"loadBalancers":[],"maxconn":"1"}}`
	for in, want := range map[string]bool{
		"[" + push + "]": false,
		"[" + control("Start") + "," + push + "," + control("Finish") + "]": true,
		"[" + control("Start") + "," + control("Finish") + "," + push + "]": false,
	} {
		p, err := ParsePush([]byte(in))
		require.NoError(t, err)
		assert.Equal(t, want, p.Aggregated, in)
	}
}

func FuzzParsePush(f *testing.F) {
	for _, c := range recordedCases(f) {
		var small bytes.Buffer
		require.NoError(f, json.Compact(&small, c.Command))
		if small.Len() < 2000 { // what grows out of long ones is slow to read
			f.Add(small.Bytes())
		}
	}
	f.Add(
		[]byte(
			`[{"` + CommandName + `":{"loadBalancers":[{"srcIp":1,"srcPort":"1","stickinessPolicies":[{"params":[{}]}]}]}}]`,
		),
	)
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := ParsePush(in)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without a text")
			}
			return
		}
		again, err := ParsePush(p.Raw)
		if err != nil {
			t.Fatalf("the kept command cannot be read again: %v", err)
		}
		again.Aggregated = p.Aggregated
		if !reflect.DeepEqual(p, again) {
			assert.Equal(t, p, again)
		}
		_, _ = Render(p, Rules{})
		_, _ = RenderTo(io.Discard, in, "4.22.0.0", true)
	})
}

func FuzzParseLogLine(f *testing.F) {
	for _, release := range []string{"4.19.1.0", "4.20.0.0"} {
		data, err := os.ReadFile(conformance(release, "lb-config-commands.log"))
		require.NoError(f, err)
		line, _, _ := strings.Cut(string(data), "\n")
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		p, ok, err := ParseLogLine(line)
		if !ok && err != nil {
			t.Fatalf("an error for a line that is no push: %v", err)
		}
		if ok && err == nil && len(p.Raw) == 0 {
			t.Fatal("a push without its command")
		}
	})
}
