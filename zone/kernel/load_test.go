package kernel

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ended runs jobs side by side and says when each ended.
func ended(b *loaded, commands ...string) map[string]time.Duration {
	began := time.Now()
	var mu sync.Mutex
	last := map[string]time.Duration{}
	var group sync.WaitGroup
	for _, c := range commands {
		group.Go(func() {
			b.work(c)()
			mu.Lock()
			defer mu.Unlock()
			last[c] = max(last[c], time.Since(began))
		})
		synctest.Wait() // each has its worker, or waits for one, before the next comes
	}
	group.Wait()
	return last
}

// Removals of accounts in the number of the workers keep all jobs waiting; a few at a time do not.
func TestRemovalsExhaustTheWorkers(t *testing.T) {
	busy := Busy()
	for name, c := range map[string]struct {
		removals        int
		removed, others time.Duration
	}{
		"three removals": {3, 13 * time.Second, 6 * time.Second},
		"ten removals":   {10, busy.StandsStill + 13*time.Second, busy.StandsStill + (13+6)*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var commands []string
				for range c.removals {
					commands = append(commands, "deleteAccount")
				}
				at := ended(newLoaded(busy, Wall{}), append(commands, "createVPC")...)
				assert.Equal(t, c.removed, at["deleteAccount"])
				assert.Equal(t, c.others, at["createVPC"])
			})
		})
	}
}

// What keeps jobs waiting ends with the server, and does not exist on a clock that stands still or on a quiet server.
func TestLoadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := []string{"deleteAccount", "createVPC", "createVPC"}
		assert.Zero(t, ended(newLoaded(Load{}, Wall{}), all...)["deleteAccount"], "quiet")
		assert.Zero(t, ended(newLoaded(Busy(), NewManual(time.Now())), all...)["deleteAccount"], "manual clock")
		b := newLoaded(Load{Workers: 1, StandsStill: time.Hour}, Wall{})
		go func() { time.Sleep(time.Second); b.end() }()
		assert.Equal(t, time.Second, ended(b, all...)["createVPC"])
		b.end()
	})
}

// Every fifth account is committed late, whoever still waits; every fiftieth answer to a change is lost.
func TestLateAndLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLoaded(Busy(), Wall{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		late := 0
		for range 20 {
			began := time.Now()
			if b.hold(ctx, "createAccount").Err() == nil {
				late++
				assert.Equal(t, b.Late, time.Since(began))
			}
			require.ErrorIs(t, b.hold(ctx, "createDomain").Err(), context.Canceled)
		}
		assert.Equal(t, 4, late)
		lost := 0
		for range 200 {
			if b.lost("createVPC") {
				lost++
			}
			assert.False(t, b.lost("listVPCs"))
			assert.False(t, b.lost("queryAsyncJobResult"))
		}
		assert.Equal(t, 4, lost)
	})
}
