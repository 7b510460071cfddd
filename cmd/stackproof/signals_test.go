package main

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestSecondSignal sends signals at given times after the first and looks whether the program is ended at once.
func TestSecondSignal(t *testing.T) {
	for name, c := range map[string]struct {
		after []time.Duration
		ends  bool
	}{
		"one":                        {},
		"its twin, as timeout sends": {after: []time.Duration{time.Millisecond}},
		"many within the second": {after: []time.Duration{0, time.Millisecond, 500 * time.Millisecond,
			patience - 1}},
		"a second one after a second": {after: []time.Duration{patience}, ends: true},
		"a twin, then a second one":   {after: []time.Duration{time.Millisecond, time.Minute}, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals, done := make(chan os.Signal, 1), make(chan struct{})
				first, again := 0, 0
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					heed(signals, done, func(os.Signal) { first++ }, func(os.Signal) { again++ })
				}()
				signals <- syscall.SIGTERM
				synctest.Wait()
				began := time.Now()
				for _, at := range c.after {
					time.Sleep(at - time.Since(began)) // the bubble's time
					signals <- syscall.SIGTERM
					synctest.Wait()
				}
				close(done)
				<-ended
				assert.Equal(t, 1, first)
				assert.Equal(t, map[bool]int{true: 1}[c.ends], again)
			})
		})
	}
}
