package cleanup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
)

// Mocks takes back the rules of the simulator hypervisor that a ledger names, and returns them. With look it only says
// which may be there.
func Mocks(ctx context.Context, c *cloud.Client, entries []ledger.Entry, look bool) (taken []string, err error) {
	var errs []error
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Kind != ledger.SimulatorMock || seen[e.Name] {
			continue
		}
		seen[e.Name] = true
		if !look {
			if err := dropMock(ctx, c, e); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", e.Kind, e.Name, err))
				continue
			}
		}
		taken = append(taken, e.Kind+" "+e.Name)
	}
	return taken, errors.Join(errs...)
}

// dropMock removes a rule. There is one for a zone and command, whatever its id: setting it again tells the id, also
// that of one whose answer nobody saw (SimulatorManagerImpl.java@4.20.0.0, configureSimulator).
func dropMock(ctx context.Context, c *cloud.Client, e ledger.Entry) error {
	zone, command, ok := strings.Cut(e.Name, " ")
	if !ok {
		return errors.New("the ledger does not name its zone and command")
	}
	if e.ID != 0 {
		if _, err := c.QuerySimulatorMock(ctx, e.ID); cloud.IsRefused(err) {
			return nil // gone
		}
	}
	mock, err := c.ConfigureSimulator(ctx, zone, command, "wait:0", 1)
	if err != nil {
		return err
	}
	return c.CleanupSimulatorMock(ctx, mock.ID)
}
