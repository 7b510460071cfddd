package zone

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
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

// mockAnswer is what a mock does to one command.
type mockAnswer struct {
	wait  time.Duration
	fails bool
	mock  *mock // the one that counts; nil for none
	read  int   // its count when the command came
}

// play waits and fails as told. The wait is real time, as in the simulator: the router is slow, the zone's clock is not.
func (a mockAnswer) play(ctx context.Context) error {
	if a.wait > 0 {
		t := time.NewTimer(a.wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the router: %w: %w", errUnavailable, ctx.Err())
		}
	}
	if a.fails {
		return fmt.Errorf("simulated failure: %w", errUnavailable)
	}
	return nil
}

// simulated finds the mock for a command to an agent: of all that apply the oldest, whatever its scope
// (MockConfigurationDaoImpl.java@4.20.0.0, findByNameBottomUP).
func (z *Zone) simulated(command string, h *Host) mockAnswer {
	for _, m := range z.mocks {
		if m.name != command || m.host != "" && (h == nil || m.host != h.UUID) {
			continue
		}
		if m.count != nil && *m.count <= 0 {
			return mockAnswer{}
		}
		a := parseMock(m.value)
		if m.count != nil {
			a.mock, a.read = m, *m.count
		}
		return a
	}
	return mockAnswer{}
}

// answered counts the mock down when its command was answered. The simulator writes back what it read before, less one, without a
// transaction: of two commands at the same time one is not counted (SimulatorManagerImpl.java@4.20.0.0, simulate).
func (a mockAnswer) answered() {
	if a.mock != nil && a.mock.count != nil {
		*a.mock.count = a.read - 1
	}
}

// parseMock reads "result:fail;wait:100". Words that the simulator does not know have no effect there either; a timeout
// is an answer that never comes, which the management server takes for an unavailable agent.
func parseMock(value string) (a mockAnswer) {
	for _, word := range strings.Split(value, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(word), ":")
		switch strings.ToLower(key) {
		case "wait":
			if ms, err := strconv.Atoi(v); err == nil && ms > 0 {
				a.wait = time.Duration(ms) * time.Millisecond
			}
		case "result":
			a.fails = a.fails || strings.EqualFold(v, "fail") || strings.EqualFold(v, "fault")
		case "timeout":
			a.fails = true
		}
	}
	return a
}

func (z *Zone) simulatorCommands() []command {
	return []command{
		{
			name: "configureSimulator", about: "configure simulator", root: "simulatormock", admin: true,
			params: []param{
				{name: "zoneid", typ: "uuid:zone", about: "configure range: in a zone"},
				{name: "podid", typ: "string", about: "configure range: in a pod"},
				{name: "clusterid", typ: "string", about: "configure range: in a cluster"},
				{name: "hostid", typ: "string", about: "configure range: in a host"},
				{name: "name", typ: "string", required: true, about: "which command needs to be configured"},
				{name: "value", typ: "string", required: true, about: "configuration options for this command, which is separated by ;"},
				{name: "count", typ: "integer", about: "number of times the mock is active"},
				{name: "jsonresponse", typ: "string", about: "agent command response"},
			},
			run: configureSimulator,
		},
		{
			name: "querySimulatorMock", about: "query simulator mock", root: "simulatormock", admin: true,
			params: []param{{name: "id", typ: "long", required: true, about: "ID of the configured mock"}},
			run:    querySimulatorMock,
		},
		{
			name: "cleanupSimulatorMock", about: "cleanup simulator mock", admin: true,
			params: []param{{name: "id", typ: "long", required: true, about: "ID of the configured mock"}},
			run:    cleanupSimulatorMock,
		},
	}
}

func configureSimulator(z *Zone, c *call) (obj, error) {
	m := &mock{zone: c.params["zoneid"], pod: c.params["podid"], cluster: c.params["clusterid"], host: c.params["hostid"], name: c.params["name"]}
	known := false
	for _, have := range z.mocks {
		if have.zone == m.zone && have.pod == m.pod && have.cluster == m.cluster && have.host == m.host && have.name == m.name {
			m, known = have, true
			break
		}
	}
	if !known {
		z.lastMock++
		m.id = z.lastMock
		z.mocks = append(z.mocks, m)
	}
	m.value, m.jsonAnswer, m.count = c.params["value"], c.params["jsonresponse"], nil
	if text, ok := c.params["count"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, api.BadParameter("Unable to execute API command %s due to invalid value %s for parameter count", strings.ToLower(c.cmd.name), text)
		}
		m.count = &n
	}
	return m.answer(z.site.ID), nil
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

func findMock(z *Zone, c *call) (int, *mock) {
	id, err := strconv.ParseInt(c.params["id"], 10, 64)
	if err != nil {
		return 0, nil
	}
	for i, m := range z.mocks {
		if m.id == id {
			return i, m
		}
	}
	return 0, nil
}

func querySimulatorMock(z *Zone, c *call) (obj, error) {
	_, m := findMock(z, c)
	if m == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to query mock"}
	}
	return m.answer(z.site.ID), nil
}

func cleanupSimulatorMock(z *Zone, c *call) (obj, error) {
	i, m := findMock(z, c)
	if m == nil {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to cleanup mock"}
	}
	z.mocks = append(z.mocks[:i:i], z.mocks[i+1:]...)
	return obj{"success": true}, nil
}
