package cloud

import (
	"context"
	"encoding/json"
	"errors"
)

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
func (c *Client) ConfigureSimulator(ctx context.Context, zoneID, name, value string, count int) (*SimulatorMock,
	error) {
	return c.mock(ctx, "configureSimulator", Params{"zoneid": zoneID, "name": name, "value": value, "count": count})
}

// QuerySimulatorMock reads a rule back.
func (c *Client) QuerySimulatorMock(ctx context.Context, id int64) (*SimulatorMock, error) {
	return c.mock(ctx, "querySimulatorMock", Params{"id": id})
}

// CleanupSimulatorMock removes a rule.
func (c *Client) CleanupSimulatorMock(ctx context.Context, id int64) error {
	return c.succeed(ctx, "cleanupSimulatorMock", Params{"id": id})
}

// mock decodes the object of the answer, whose key is "null" (measured on 4.19.1.0 and 4.20.0.0); any other is read as
// well.
func (c *Client) mock(ctx context.Context, command string, p Params) (*SimulatorMock, error) {
	var m SimulatorMock
	if err := c.object(ctx, command, p, &m); err != nil {
		return nil, err
	}
	return &m, nil
}

// object makes a call whose answer is one object under one key, whatever that is called.
func (c *Client) object(ctx context.Context, command string, p Params, into any) error {
	var inner json.RawMessage
	err := c.repeated(ctx, command, func() (err error) {
		inner, err = c.raw(ctx, command, p, c.opts.Retries)
		return err
	})
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := decode(command, inner, &fields); err != nil {
		return err
	}
	if len(fields) != 1 {
		return unexpected(command, "one object", inner)
	}
	for _, v := range fields {
		return decode(command, v, into)
	}
	return nil
}

// succeed makes a call that answers success, as a bool or as text.
func (c *Client) succeed(ctx context.Context, command string, p Params) error {
	var r struct {
		Success any    `json:"success"`
		Text    string `json:"displaytext"`
	}
	if err := c.Change(ctx, command, p, &r); err != nil {
		return err
	}
	if r.Success == true || r.Success == "true" {
		return nil
	}
	return &Error{Command: command, Status: 200, Code: CodeInternal,
		Text: orWord(r.Text, "the answer is success=false")}
}

// ReleaseUnknown says that the API does not tell its release.
type ReleaseUnknown struct{ Err error }

func (e *ReleaseUnknown) Error() string {
	return "the release is not known from the API (" + e.Err.Error() +
		"): name it with --release, or give a database account so that the version table can be read"
}

func (e *ReleaseUnknown) Unwrap() error { return e.Err }

// Release is the management server's release, for instance 4.20.1.0, as listCapabilities gives it. On some builds that
// call answers 431 (4.20.0.0 without a packaged version): then, or when there is no version in it, the error is
// *ReleaseUnknown. Errors of transport and of authentication are returned as they are.
func (c *Client) Release(ctx context.Context) (string, error) {
	var r struct {
		Capability struct {
			Version string `json:"cloudstackversion"`
		} `json:"capability"`
	}
	err := c.Call(ctx, "listCapabilities", nil, &r)
	switch {
	case err == nil && r.Capability.Version != "":
		return r.Capability.Version, nil
	case err == nil:
		return "", &ReleaseUnknown{Err: errors.New("listCapabilities: the answer names no version")}
	case IsRefused(err) && !IsUnauthorized(err) && Code(err) != CodeAccount:
		return "", &ReleaseUnknown{Err: err}
	}
	return "", err
}
