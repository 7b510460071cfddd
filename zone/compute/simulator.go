package compute

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// mock is a row of the simulator's mockconfiguration: how agents answer a command. A nil count is without end; each
// answered command takes one from it, and at zero the mock has no effect.
type mock struct {
	id                      int64
	zone, pod, cluster      string
	host                    string
	name, value, jsonAnswer string
	count                   *int
}

// MockAnswer is what a mock does to one command.
type MockAnswer struct {
	Wait  time.Duration
	Fails bool
	mock  *mock // the one that counts; nil for none
	read  int   // its count when the command came
}

// Play waits and fails as told. The wait is real time, as in the simulator: the router is slow, the zone's clock is
// not.
func (a MockAnswer) Play(ctx context.Context) error {
	if a.Wait > 0 {
		t := time.NewTimer(a.Wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the router: %w: %w", kernel.ErrUnavailable, ctx.Err())
		}
	}
	if a.Fails {
		return fmt.Errorf("simulated failure: %w", kernel.ErrUnavailable)
	}
	return nil
}

// Simulated finds the mock for a command to an agent: of all that apply the oldest, whatever its scope
// (MockConfigurationDaoImpl.java@4.20.0.0, findByNameBottomUP).
func (mgr *Manager) Simulated(command string, h *net.Host) MockAnswer {
	for _, m := range mgr.mocks {
		if m.name != command || m.host != "" && (h == nil || m.host != h.UUID) {
			continue
		}
		if m.count != nil && *m.count <= 0 {
			return MockAnswer{}
		}
		a := ParseMock(m.value)
		if m.count != nil {
			a.mock, a.read = m, *m.count
		}
		return a
	}
	return MockAnswer{}
}

// Answered counts the mock down when its command was answered. The simulator writes back what it read before, less
// one, without a transaction: of two commands at the same time one is not counted
// (SimulatorManagerImpl.java@4.20.0.0, simulate).
func (a MockAnswer) Answered() {
	if a.mock != nil && a.mock.count != nil {
		*a.mock.count = a.read - 1
	}
}

// ParseMock reads "result:fail;wait:100". Words that the simulator does not know have no effect there either; a timeout
// is an answer that never comes, which the management server takes for an unavailable agent.
func ParseMock(value string) (a MockAnswer) {
	for _, word := range strings.Split(value, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(word), ":")
		switch strings.ToLower(key) {
		case "wait":
			if ms, err := strconv.Atoi(v); err == nil && ms > 0 {
				a.Wait = time.Duration(ms) * time.Millisecond
			}
		case "result":
			a.Fails = a.Fails || strings.EqualFold(v, "fail") || strings.EqualFold(v, "fault")
		case "timeout":
			a.Fails = true
		}
	}
	return a
}

func simulatorCommands() []command {
	return []command{
		{
			Name: "configureSimulator", About: "configure simulator", Root: "simulatormock", Admin: true,
			Params: []param{
				{Name: "zoneid", Type: "uuid:zone", About: "configure range: in a zone"},
				{Name: "podid", Type: "string", About: "configure range: in a pod"},
				{Name: "clusterid", Type: "string", About: "configure range: in a cluster"},
				{Name: "hostid", Type: "string", About: "configure range: in a host"},
				{Name: "name", Type: "string", Required: true, About: "which command needs to be configured"},
				{Name: "value", Type: "string", Required: true, About: "configuration options for this command, " +
					"which is separated by ;"},
				{Name: "count", Type: "integer", About: "number of times the mock is active"},
				{Name: "jsonresponse", Type: "string", About: "agent command response"},
			},
			Run: configureSimulator,
		},
		{
			Name: "querySimulatorMock", About: "query simulator mock", Root: "simulatormock", Admin: true,
			Params: []param{{Name: "id", Type: "long", Required: true, About: "ID of the configured mock"}},
			Run:    querySimulatorMock,
		},
		{
			Name: "cleanupSimulatorMock", About: "cleanup simulator mock", Admin: true,
			Params: []param{{Name: "id", Type: "long", Required: true, About: "ID of the configured mock"}},
			Run:    cleanupSimulatorMock,
		},
	}
}

func configureSimulator(mgr *Manager, c *kernel.Call) (obj, error) {
	m := &mock{zone: c.Params["zoneid"], pod: c.Params["podid"], cluster: c.Params["clusterid"],
		host: c.Params["hostid"], name: c.Params["name"]}
	known := false
	for _, have := range mgr.mocks {
		if have.zone == m.zone && have.pod == m.pod && have.cluster == m.cluster && have.host == m.host &&
			have.name == m.name {
			m, known = have, true
			break
		}
	}
	if !known {
		mgr.lastMock++
		m.id = mgr.lastMock
		mgr.mocks = append(mgr.mocks, m)
	}
	m.value, m.jsonAnswer, m.count = c.Params["value"], c.Params["jsonresponse"], nil
	if text, ok := c.Params["count"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, api.BadParameter("Unable to execute API command %s due to invalid value %s for parameter "+
				"count", strings.ToLower(c.Cmd.Name), text)
		}
		m.count = &n
	}
	return m.answer(mgr.net.Site.ID), nil
}

// answer has the key null because the response object has no name in the simulator plugin (facts: confirmed.md 4).
func (m *mock) answer(zone int64) obj {
	a := obj{"id": m.id, "name": m.name}
	if m.zone != "" {
		a["zoneid"] = zone
	}
	if m.count != nil {
		a["count"] = *m.count
	}
	return obj{"null": a}
}

func findMock(mgr *Manager, c *kernel.Call) (int, *mock) {
	id, err := strconv.ParseInt(c.Params["id"], 10, 64)
	if err != nil {
		return 0, nil
	}
	for i, m := range mgr.mocks {
		if m.id == id {
			return i, m
		}
	}
	return 0, nil
}

func querySimulatorMock(mgr *Manager, c *kernel.Call) (obj, error) {
	_, m := findMock(mgr, c)
	if m == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to query mock"}
	}
	return m.answer(mgr.net.Site.ID), nil
}

func cleanupSimulatorMock(mgr *Manager, c *kernel.Call) (obj, error) {
	i, m := findMock(mgr, c)
	if m == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to cleanup mock"}
	}
	mgr.mocks = append(mgr.mocks[:i:i], mgr.mocks[i+1:]...)
	return obj{"success": true}, nil
}
