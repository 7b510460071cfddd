package mgmtlog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/router"
)

func sequence(pushes []router.Push) []string {
	var all []string
	for _, p := range pushes {
		all = append(all, p.Router()+" "+p.Log.MgmtID+"/"+p.Log.Seq)
	}
	return all
}

func TestInboxOrder(t *testing.T) {
	b := NewInbox()
	for _, seq := range []string{"3", "9", "5"} {
		b.Add(harnesstest.PushLine(t, "r-1-VM", "1", seq))
		b.Add("2026-11-22 00:00:00,000 DEBUG something else")
	}
	b.Add(harnesstest.PushLine(t, "r-2-VM", "1", "4"))
	b.Add(harnesstest.PushLine(t, "r-1-VM", "1", "9")) // sending and executing, or printed again
	assert.Equal(t, []string{"r-1-VM 1/3", "r-1-VM 1/5", "r-1-VM 1/9", "r-2-VM 1/4"}, sequence(b.Take(nil)))
	assert.Equal(t, 4, b.Total)
	assert.Empty(t, b.Damaged)

	b.Add(harnesstest.PushLine(t, "r-1-VM", "2", "4")) // another management server counts for itself
	assert.Equal(t, []string{"r-1-VM 2/4"}, sequence(b.Take(nil)))
	b.Add(harnesstest.PushLine(t, "r-1-VM", "1", "8"))
	assert.Empty(t, b.Take(nil), "what the router has overtaken is not applied")
	require.Len(t, b.Damaged, 1)
	assert.Contains(t, b.Damaged[0], "r-1-VM")
}

// An agent that connects again gets numbers that may be lower than before.
func TestInboxOrderAfterAnAgentConnectedAgain(t *testing.T) {
	at := func(line, clock string) string { return strings.Replace(line, "00:00:00", clock, 1) }
	const before, after = "5708031052715394300", "1407374883553281"
	b := NewInbox()
	b.Add(at(harnesstest.PushLine(t, "r-1-VM", "1", after), "00:00:09"))
	b.Add(at(harnesstest.PushLine(t, "r-1-VM", "1", before), "00:00:05"))
	assert.Equal(t, []string{"r-1-VM 1/" + before, "r-1-VM 1/" + after}, sequence(b.Take(nil)))
	assert.Empty(t, b.Damaged)
}

func TestInboxBeginsWithEachRouterWhereItIsTold(t *testing.T) {
	b := NewInbox()
	for _, seq := range []string{"1", "2", "3", "4"} {
		b.Add(harnesstest.PushLine(t, "r-1-VM", "1", seq))
	}
	b.Add(harnesstest.PushLine(t, "r-2-VM", "1", "5"))
	assert.Equal(t, []string{"r-1-VM 1/2", "r-1-VM 1/3", "r-1-VM 1/4", "r-2-VM 1/5"},
		sequence(b.Take(func(p []router.Push) int { return len(p) / 4 })))
	assert.Equal(t, 5, b.Total)
}

func TestInboxDamage(t *testing.T) {
	whole := harnesstest.PushLine(t, "r-1-VM", "1", "1")
	b := NewInbox()
	b.Add(whole[:len(whole)-30])
	assert.Len(t, b.Damaged, 1)
	b.Add("2026-11-22 00:00:00,000 DEBUG [c.c.a.t.Request] (x) (logid:1) Seq 1-2: Executing:  { Cmd , MgmtId: 1, " +
		"via: 1(h), Ver: v1, Flags: 100001, { LoadBalancerConfigCommand } }")
	assert.Equal(t, 1, b.Silent, "a request without its content asks for another log level")
	assert.Zero(t, b.Total)
}

// TestInboxOfRecordedLogs interleaves the pushes of two running servers and wants each router's newest.
func TestInboxOfRecordedLogs(t *testing.T) {
	old, newer := harnesstest.Recorded(t, "4.19.1.0"), harnesstest.Recorded(t, "4.20.0.0")
	for _, lines := range [][]string{old, newer} {
		b := NewInbox()
		for _, l := range lines {
			b.Add(l)
			b.Add(l)
		}
		require.Empty(t, b.Damaged)
		all := b.Take(nil)
		assert.Len(t, all, b.Total)
		want := map[string]string{}
		for _, p := range all {
			want[p.Router()] = p.Log.Seq
		}
		late := NewInbox()
		for _, l := range lines {
			late.Add(l)
		}
		got := late.Take(Newest)
		assert.Len(t, got, len(want))
		for _, p := range got {
			assert.Equal(t, want[p.Router()], p.Log.Seq, p.Router())
		}
	}
}

func FuzzInbox(f *testing.F) {
	f.Add("2026-11-22 00:00:00,000 DEBUG [c.c.a.t.Request] Seq 1-2: Executing:  { Cmd , MgmtId: 1, Flags: 100001, " +
		"[{\"com.cloud.agent.api.routing.LoadBalancerConfigCommand\":{}}] }")
	f.Fuzz(func(t *testing.T, line string) {
		b := NewInbox()
		b.Add(line)
		if n := len(b.Take(nil)); n != b.Total {
			t.Fatalf("%d pushes were counted, %d given", b.Total, n)
		}
	})
}

func BenchmarkInbox(b *testing.B) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf("2026-11-22 00:00:00,000 DEBUG [o.a.c.x] line %d that is no push at all and is as "+
			"long as such lines are", i)
	}
	lines = slices.Clip(lines)
	for b.Loop() {
		box := NewInbox()
		for _, l := range lines {
			box.Add(l)
		}
	}
}

// TestInboxBeginsWithEachRouter lets the pushes of two routers come in turn: where to begin is asked once for each of
// them.
func TestInboxBeginsWithEachRouter(t *testing.T) {
	b := NewInbox()
	for _, seq := range []string{"1", "2"} {
		b.Add(harnesstest.PushLine(t, "r-1-VM", "1", seq))
		b.Add(harnesstest.PushLine(t, "r-2-VM", "2", seq))
	}
	got := b.Take(Newest)
	require.Len(t, got, 2)
	for i, name := range []string{"r-1-VM", "r-2-VM"} {
		assert.Equal(t, name, got[i].Router())
		assert.Equal(t, "2", got[i].Log.Seq)
	}
}

// TestInboxOrderWithTimesOutOfOrder: one comparison of sequence and time contradicts itself where a lane's times are
// out of order (1 before 2 by sequence, 2 before the other lane's push by time, and that before 1), and the sequence
// would depend on the order of the lines.
func TestInboxOrderWithTimesOutOfOrder(t *testing.T) {
	at := func(line, clock string) string { return strings.Replace(line, "00:00:00", clock, 1) }
	lines := []string{
		at(harnesstest.PushLine(t, "r-1-VM", "1", "1"), "00:00:09"),
		at(harnesstest.PushLine(t, "r-1-VM", "1", "2"), "00:00:01"),
		at(harnesstest.PushLine(t, "r-1-VM", "2", "7"), "00:00:05"),
	}
	want := []string{"r-1-VM 2/7", "r-1-VM 1/1", "r-1-VM 1/2"}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		b := NewInbox()
		for _, i := range order {
			b.Add(lines[i])
		}
		assert.Equal(t, want, sequence(b.Take(nil)), "lines %v", order)
		assert.Empty(t, b.Damaged)
	}
}
