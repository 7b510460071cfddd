package router

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/internal/testcpu"
)

// manyRules is the command of a router with so many rules, made of the fifty recorded ones.
func manyRules(tb testing.TB, n int) []byte {
	tb.Helper()
	data, err := os.ReadFile(conformance("haproxy", "rules-50.json"))
	require.NoError(tb, err)
	var c recordedCase
	require.NoError(tb, json.Unmarshal(data, &c))
	var command map[string]any
	require.NoError(tb, json.Unmarshal(c.Command, &command))
	recorded := command["loadBalancers"].([]any)
	all := make([]any, n)
	for i := range all {
		one := maps.Clone(recorded[i%len(recorded)].(map[string]any))
		one["srcPort"] = fmt.Sprint(10000 + i)
		one["uuid"] = fmt.Sprintf("00000000-0000-0000-0000-%012d", i)
		all[i] = one
	}
	command["loadBalancers"] = all
	text, err := json.Marshal(command)
	require.NoError(tb, err)
	return text
}

// BenchmarkScaleRules is one push to a router with many rules: read, rendered, applied to files, given to a real
// HAProxy that reloads, and started from.
func BenchmarkScaleRules(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		text := manyRules(b, n)
		push := func(maxConn string) Push {
			p, err := ParsePush(text)
			require.NoError(b, err)
			require.Len(b, p.LoadBalancers, n)
			p.MaxConn = maxConn
			return p
		}
		one, other := push("4096"), push("5000")
		step := func(what string, f func(b *testing.B)) {
			b.Run(fmt.Sprintf("%s/n=%d", what, n), f)
		}
		step("read", func(b *testing.B) {
			testcpu.Loop(b, func() {
				push("4096")
			})
		})
		step("render", func(b *testing.B) {
			testcpu.Loop(b, func() {
				_, err := RenderTo(io.Discard, text, "4.20.1.0", false)
				require.NoError(b, err)
			})
		})
		step("apply", func(b *testing.B) {
			r := newTestRouter(b, newTestHost(b), Options{OnDemand: true})
			i := 0
			testcpu.Loop(b, func() {
				apply(b, r, []Push{one, other}[i%2])
				i++
			})
		})
		step("reload", func(b *testing.B) {
			r := newTestRouter(b, newTestHost(b), Options{})
			apply(b, r, other)
			i := 0
			testcpu.Loop(b, func() {
				require.Equal(b, ActionReload, apply(b, r, []Push{one, other}[i%2]).Action)
				i++
			})
		})
		step("start", func(b *testing.B) {
			h := newTestHost(b)
			testcpu.Loop(b, func() {
				r := newTestRouter(b, h, Options{})
				require.Equal(b, ActionStart, apply(b, r, one).Action)
				require.NoError(b, r.Close())
			})
		})
	}
}
