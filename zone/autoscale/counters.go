package autoscale

import (
	"context"

	"github.com/stackproof/stackproof/release"
)

// CounterDefaults are the counters that a fresh schema has
// (engine/schema/src/main/resources/META-INF/db/schema-41720to41800.sql@4.20.0.0). They live in memory only.
func (mgr *Manager) CounterDefaults(context.Context) error {
	add := func(name, source, value, provider string) {
		mgr.Counters.Add(&Counter{
			ID: mgr.NextID("cloud.counter"), UUID: mgr.UUID(), Name: name, Source: source, Value: value,
			Provider: provider,
		})
	}
	if mgr.On(release.NetrisProvider) { // schema-42010to42100.sql@4.21.0.0; lists begin with them
		add("VM CPU - average percentage", "CPU", "vm.cpu.average.percentage", "Netris")
		add("VM Memory - average percentage", "MEMORY", "vm.memory.average.percentage", "Netris")
	}
	for _, provider := range []string{"VirtualRouter", "VpcVirtualRouter", "None"} {
		add("VM CPU - average percentage", "CPU", "vm.cpu.average.percentage", provider)
		add("VM Memory - average percentage", "MEMORY", "vm.memory.average.percentage", provider)
		if provider == "None" {
			break
		}
		add("Public Network - mbps received per vm", "VIRTUALROUTER", "public.network.received.average.mbps", provider)
		add("Public Network - mbps transmit per vm", "VIRTUALROUTER", "public.network.transmit.average.mbps", provider)
		add("Load Balancer - average connections per vm", "VIRTUALROUTER", "virtual.network.lb.average.connections",
			provider)
	}
	for _, one := range [][3]string{
		{"Linux User CPU - percentage", "SNMP", "1.3.6.1.4.1.2021.11.9.0"},
		{"Linux System CPU - percentage", "SNMP", "1.3.6.1.4.1.2021.11.10.0"},
		{"Linux CPU Idle - percentage", "SNMP", "1.3.6.1.4.1.2021.11.11.0"},
		{"Linux User CPU - percentage - native", "CPU", "1.3.6.1.4.1.2021.11.9.1"},
		{"Linux User RAM - percentage - native", "MEMORY", "1.3.6.1.4.1.2021.11.10.1"},
		{"Response Time - microseconds", "NETSCALER", "RESPTIME"},
	} {
		add(one[0], one[1], one[2], "Netscaler")
	}
	return nil
}
