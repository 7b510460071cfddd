package router

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken breaks every line of a text after so many bytes, as a terminal of that width does.
func broken(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for len(line) > width {
			b.WriteString(line[:width] + "\n")
			line = line[width:]
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestReadAnyForms gives a recorded log as people have it: all its pushes must come out, and no word of warning.
func TestReadAnyForms(t *testing.T) {
	data, err := os.ReadFile(conformance("4.20.0.0", "lb-config-commands.log"))
	require.NoError(t, err)
	log := strings.Join(strings.SplitAfterN(string(data), "\n", 9)[:8], "")
	want, warnings, err := ReadAny([]byte(log))
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, want, 8)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write([]byte(log))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var container strings.Builder
	for line := range strings.Lines(log) {
		for len(line) > 0 { // the engine cuts long lines
			piece := line[:min(len(line), 700)]
			line = line[len(piece):]
			entry, err := json.Marshal(map[string]string{"log": piece, "stream": "stdout"})
			require.NoError(t, err)
			container.Write(append(entry, '\n'))
		}
	}
	agent := strings.NewReplacer("Seq ", "Request:Seq ", ": Executing:  {", ":  {", ": Sending  {", ":  {").Replace(log)
	noise := "2026-11-21 22:15:53,000 DEBUG [c.c.a.t.Request] (x) Seq 3-1: Executing:  { Cmd , MgmtId: 1, via: " +
		"3(a), Ver: " +
		"v1, Flags: 100011, [{\"com.cloud.agent.api.PingCommand\":{}}] }\n"
	for name, in := range map[string]string{
		"CR LF": strings.ReplaceAll(log, "\n", "\r\n"), "BOM": "\ufeff" + log, "gzip": packed.String(),
		"container": container.String(), "escaped": html.EscapeString(log), "agent": agent,
		"in 80 columns": broken(log, 80), "in 132 columns, with noise": broken(noise+log+noise, 132),
	} {
		got, warnings, err := ReadAny([]byte(in))
		require.NoError(t, err, name)
		assert.Empty(t, warnings, name)
		for i := range got {
			got[i].Log.Line = want[i].Log.Line // broken lines are counted as they stand
		}
		assert.Equal(t, want, got, name)
	}
	one := string(want[0].Raw)
	for name, in := range map[string]string{"escaped": html.EscapeString(one), "in 80 columns": broken(one+"\n", 80)} {
		got, _, err := ReadAny([]byte(in))
		require.NoError(t, err, name)
		assert.Equal(t, want[0].LoadBalancers, got[0].LoadBalancers, name)
	}
}

// TestDamageIsLeftOut: what is whole is read, and a word is said of the rest.
func TestDamageIsLeftOut(t *testing.T) {
	data, err := os.ReadFile(conformance("4.20.0.0", "lb-config-commands.log"))
	require.NoError(t, err)
	lines := strings.SplitAfterN(string(data), "\n", 4)
	first, second, third := lines[0], lines[1], lines[2]
	for name, in := range map[string]string{
		"last line cut":   first + second + third[:len(third)/2],
		"first line cut":  first[:len(first)/2] + "\n" + second + third,
		"cut and broken":  first + second + broken(third[:len(third)/2], 80),
		"in the middle":   first + broken(second[:len(second)/2], 80) + "\n" + third,
		"without content": first + second[:strings.Index(second, "[{")] + "{ LoadBalancerConfigCommand } }\n" + third,
	} {
		pushes, warnings, err := ReadAny([]byte(in))
		require.NoError(t, err, name)
		assert.Len(t, pushes, 2, name)
		require.Len(t, warnings, 1, name)
		assert.Regexp(t, `^log line \d+: request Seq \d+-\d+.*: left out$`, warnings[0], name)
	}
	_, _, err = ReadAny([]byte(first[:len(first)/2]))
	assert.ErrorContains(t, err, "log line 1: ", "nothing is whole")
}

// TestOtherFilesAreNamed: who gives something else is told what it is.
func TestOtherFilesAreNamed(t *testing.T) {
	p := recordedLog(t, "4.20.0.0")[0]
	rendered, err := Render(p, Rules{})
	require.NoError(t, err)
	_, _, err = ReadAny(rendered.File())
	assert.ErrorContains(t, err, "this is a haproxy.cfg")
	item, err := json.Marshal(rendered)
	require.NoError(t, err)
	_, _, err = ReadAny(item)
	assert.ErrorContains(t, err, "load_balancer.json")
}

// TestUnknownFieldsAreNamed: those that a release has no renderer for, and no others.
func TestUnknownFieldsAreNamed(t *testing.T) {
	old := recordedLog(t, "4.20.0.0")
	assert.Empty(t, Unknown(old, Rules{}), "of its own release nothing is unknown")
	p, err := ParsePush(
		[]byte(`{"loadBalancers":[{"srcIp":"a","srcPort":1,"sslCert":{"cert":"x"},"newer":"1","older":""}],` +
			`"maxconn":"1","idleThing":"50000","nothing":null}`),
	)
	require.NoError(t, err)
	assert.Equal(t, []string{"idleThing", "loadBalancers.newer", "loadBalancers.sslCert"}, Unknown([]Push{p}, Rules{}))
	assert.Equal(t, []string{"idleThing", "loadBalancers.newer"}, Unknown([]Push{p}, Rules{EndsTLS: true}))
}
