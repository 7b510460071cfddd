package cloud

import (
	"context"
)

// Simulator are the calls to the simulator hypervisor.
type Simulator struct{ *caller }

// SimulatorMock is a rule of the simulator hypervisor for one kind of agent command.
type SimulatorMock struct {
	ID     int64  `json:"id"`
	ZoneID int64  `json:"zoneid"` // internal id
	Name   string `json:"name"`
	// Count is how often the rule still applies.
	Count int `json:"count"`
}

// ConfigureSimulator makes agents answer the command "name" (LoadBalancerConfigCommand) as value says (result:fail,
// result:fault, wait:MS, timeout, joined with ;) count times. value wait:0 changes nothing but counts: Count falls by
// one per command.
func (c Simulator) ConfigureSimulator(ctx context.Context, zoneID, name, value string, count int) (*SimulatorMock,
	error) {
	return c.mock(ctx, "configureSimulator", Params{"zoneid": zoneID, "name": name, "value": value, "count": count})
}

// QuerySimulatorMock reads a rule back.
func (c Simulator) QuerySimulatorMock(ctx context.Context, id int64) (*SimulatorMock, error) {
	return c.mock(ctx, "querySimulatorMock", Params{"id": id})
}

// CleanupSimulatorMock removes a rule.
func (c Simulator) CleanupSimulatorMock(ctx context.Context, id int64) error {
	return c.succeed(ctx, "cleanupSimulatorMock", Params{"id": id})
}

// mock decodes the object of the answer, whose key is "null" (measured on 4.19.1.0 and 4.20.0.0); any other is read as
// well.
func (c Simulator) mock(ctx context.Context, command string, p Params) (*SimulatorMock, error) {
	var m SimulatorMock
	if err := c.object(ctx, command, p, &m); err != nil {
		return nil, err
	}
	return &m, nil
}
