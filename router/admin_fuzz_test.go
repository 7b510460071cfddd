package router

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzShow: whatever HAProxy's admin socket says, it is read or refused, and what was read has names and counts.
func FuzzShow(f *testing.F) {
	for _, s := range []string{"", "Name: HAProxy\nVersion: 2.6.12\nPid: 12\nUptime_sec: 3\n",
		"# pxname,svname,status,stot,check_status\na,FRONTEND,OPEN,3,\na,10.0.0.1,UP,2,L4OK\n\n",
		"# table: a, type: ip, size:204800, used:1\n" +
			"0x55: key=192.0.2.1 use=0 exp=1799000 shard=0 server_id=1 server_key=10_0_0_1\n",
		"# table: a, type: ip, size:1, used:99999999999999999999\n0x1: key=x use=0 exp=1\n", "# \"\n\"", "Pid: " +
			"\nPid: 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		ask := Ask(func(context.Context, string) (string, error) { return answer, nil })
		if info, err := ask.ShowInfo(t.Context()); err == nil {
			require.NotEmpty(t, info.Fields["Pid"])
		}
		if stats, err := ask.ShowStat(t.Context()); err == nil {
			require.NotEmpty(t, stats)
			for _, s := range stats {
				_ = s.Server()
			}
		}
		if table, err := ask.ShowTable(t.Context(), "a"); err == nil {
			require.NotEmpty(t, table.Name)
			for _, e := range table.Entries {
				require.True(t, e.Key.IsValid())
			}
		}
	})
}
