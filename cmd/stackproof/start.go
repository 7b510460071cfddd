package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness/lab"
)

// startFlag is --start, the virtual time at which the lab's zones open.
type startFlag struct{ at time.Time }

// startForms are how --start may be written; a form without a zone means UTC.
func startForms() []string {
	return []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"}
}

func (s *startFlag) add(f *pflag.FlagSet) {
	f.TimeVar(&s.at, "start", lab.Epoch(), startForms(),
		"virtual time at which a zone of the lab opens, in UTC, such as 2026-12-31T23:50; a run of the lab does not "+
			"depend on the computer's clock")
}

// check refuses a time that no zone can have.
func (s *startFlag) check() error {
	if err := lab.CheckStart(s.at); err != nil {
		return usage("--start: %w", err)
	}
	return nil
}

// notes say what a reader of the run must know to see it again: none for the default.
func (s *startFlag) notes() []string {
	if s.at.Equal(lab.Epoch()) {
		return nil
	}
	return []string{"the lab's time began at " + s.at.UTC().Format(time.RFC3339) + " (--start)"}
}
