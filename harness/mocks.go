package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
)

// SetMock sets a rule of the simulator for a zone's agent command, noted in the ledger (nil for none) before the call.
// A rule that was set comes back also with an error, so that it can be taken back.
func SetMock(ctx context.Context, c *cloud.Client, l Ledger, zone, command, value string,
	count int) (*cloud.SimulatorMock, error) {
	var entry int
	if l != nil {
		var err error
		if entry, err = l.Intend(ledger.SimulatorMock, zone+" "+command, ""); err != nil {
			return nil, fmt.Errorf("noting a rule of the simulator in the ledger: %w", err)
		}
	}
	mock, err := c.ConfigureSimulator(ctx, zone, command, value, count)
	switch {
	case l == nil:
		return mock, err
	case err == nil:
		return mock, l.Created(entry, mockID(mock.ID), mock.ID)
	case cloud.IsRefused(err):
		none := fmt.Sprintf("refused %s %d", ledger.SimulatorMock, entry)
		return nil, errors.Join(err, l.Created(entry, none, 0), l.Removed(none))
	}
	return nil, err
}

// DropMock removes a rule of the simulator, and notes that.
func DropMock(ctx context.Context, c *cloud.Client, l Ledger, id int64) error {
	if err := c.CleanupSimulatorMock(ctx, id); err != nil {
		return err
	}
	return ForgetMock(l, id)
}

// ForgetMock notes that a rule of the simulator is gone; l may be nil.
func ForgetMock(l Ledger, id int64) error {
	if l == nil {
		return nil
	}
	return l.Removed(mockID(id))
}

// mockID stands where objects have their uuid.
func mockID(id int64) string { return fmt.Sprintf("%s %d", ledger.SimulatorMock, id) }
