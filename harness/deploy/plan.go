package deploy

// Plan is what is set up. The zero value of a field is not looked at: start from Default.
type Plan struct {
	Zone, DNS, InternalDNS, GuestCIDR string
	PhysicalNetwork, VLANs            string
	Pod                               Pod
	Clusters                          []Cluster
	Public                            Range
	// ImageStore is the URL of the secondary storage.
	ImageStore string
	// Settings are set before anything is created; some take effect with a restart of the management server.
	Settings []Setting
	// Usage are the settings that the usage server reads when it starts.
	Usage []Setting
}

// Pod is the pod with its range of system addresses.
type Pod struct{ Name, Gateway, Netmask, First, Last string }

// Cluster is a cluster with its hosts and primary storage, by their URLs.
type Cluster struct {
	Name  string
	Hosts []string
	Pools []string
}

// Range is the public range.
type Range struct{ VLAN, First, Last, Gateway, Netmask string }

// Setting is a global setting.
type Setting struct{ Name, Value string }

// hostSize is how large simulated hosts are: 64 GiB and 32 cores. The simulator's default, 8 GiB and 4 cores, is full
// with half of the instances that all of L-04 makes (SimulatorDiscoverer.java@4.19.1.0, @4.20.1.0, find: the words of
// the last part of a host's URL).
const hostSize = "memory=68719476736&cpucore=32"

// Default is setup/dev/advanced.cfg@4.20.0.0 with larger hosts, one window a minute and GMT.
func Default() Plan {
	const storage = "nfs://10.147.28.6:/export/home/sandbox/"
	host := func(name string) string { return "http://sim/" + name + "/" + hostSize }
	return Plan{
		Zone: "Sandbox-simulator", DNS: "10.147.28.6", InternalDNS: "10.147.28.6", GuestCIDR: "10.1.1.0/24",
		PhysicalNetwork: "Sandbox-pnet", VLANs: "100-200",
		Pod: Pod{Name: "POD0", Gateway: "172.16.15.1", Netmask: "255.255.255.0", First: "172.16.15.2",
			Last: "172.16.15.200"},
		Clusters: []Cluster{
			{Name: "C0", Hosts: []string{host("c0/h0"), host("c0/h1")}, Pools: []string{storage + "primary0", storage +
				"primary1"}},
			{Name: "C1", Hosts: []string{host("c1/h0"), host("c1/h1")}, Pools: []string{storage + "primary2", storage +
				"primary3"}},
		},
		Public: Range{VLAN: "50", First: "192.168.2.2", Last: "192.168.2.200", Gateway: "192.168.2.1",
			Netmask: "255.255.255.0"},
		ImageStore: storage + "secondary",
		Settings: []Setting{
			{"network.gc.wait", "20"}, {"network.gc.interval", "20"}, {"storage.cleanup.interval", "40"},
			{"vm.op.wait.interval", "5"},
			{"account.cleanup.interval", "20"}, {"expunge.delay", "20"}, {"expunge.interval", "20"},
			{"expunge.workers", "3"},
			{"secstorage.allowed.internal.sites", "10.147.28.0/24"}, {"direct.agent.load.size", "1000"},
			{"enable.dynamic.scale.vm", "true"},
		},
		Usage: []Setting{
			{"enable.usage.server", "true"}, {"usage.stats.job.aggregation.range", "1"},
			{"usage.execution.timezone", "GMT"},
			{"usage.aggregation.timezone", "GMT"},
		},
	}
}
