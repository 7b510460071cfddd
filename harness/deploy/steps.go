package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

func (d *deployer) zone(ctx context.Context) (err error) {
	p := d.Plan
	d.ZoneID, err = d.ensure("zone "+p.Zone, d.found(ctx, "listZones", cloud.Params{"name": p.Zone}, named(p.Zone)),
		d.call(ctx, "createZone", cloud.Params{"name": p.Zone, "networktype": "Advanced", "dns1": p.DNS, "internaldns1": p.InternalDNS, "guestcidraddress": p.GuestCIDR}))
	return err
}

func (d *deployer) network(ctx context.Context) (err error) {
	name := d.Plan.PhysicalNetwork
	d.physical, err = d.ensure("physical network "+name, d.found(ctx, "listPhysicalNetworks", cloud.Params{"zoneid": d.ZoneID}, named(name)),
		d.job(ctx, "createPhysicalNetwork", cloud.Params{"zoneid": d.ZoneID, "name": name, "isolationmethods": "VLAN"}))
	if err != nil {
		return err
	}
	for _, traffic := range []string{"Guest", "Management", "Public"} {
		p := cloud.Params{"physicalnetworkid": d.physical}
		_, err := d.ensure("traffic type "+traffic, d.found(ctx, "listTrafficTypes", p, func(e entry) bool { return e.TrafficType == traffic }),
			d.job(ctx, "addTrafficType", cloud.Params{"physicalnetworkid": d.physical, "traffictype": traffic}))
		if err != nil {
			return err
		}
	}
	return nil
}

// providers configures each provider's element and enables the provider.
func (d *deployer) providers(ctx context.Context) error {
	for _, name := range []string{"VirtualRouter", "VpcVirtualRouter", "InternalLbVm"} {
		if err := d.provider(ctx, name); err != nil {
			return fmt.Errorf("provider %s: %w", name, err)
		}
	}
	return nil
}

func (d *deployer) provider(ctx context.Context, name string) error {
	all, err := d.list(ctx, "listNetworkServiceProviders", cloud.Params{"physicalnetworkid": d.physical, "name": name})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, named(name))
	if i < 0 && !d.DryRun {
		return fmt.Errorf("the physical network has none of that name")
	}
	var id, state string
	if i >= 0 {
		id, state = all[i].ID, all[i].State
	}
	listing, configure := "listVirtualRouterElements", "configureVirtualRouterElement"
	if name == "InternalLbVm" {
		listing, configure = "listInternalLoadBalancerElements", "configureInternalLoadBalancerElement"
	}
	elements, err := d.list(ctx, listing, cloud.Params{"nspid": id})
	if err != nil {
		return err
	}
	if id == "" && d.DryRun {
		elements = []entry{{}} // one comes with each provider
	}
	for _, e := range elements {
		if _, err := d.ensure("element of "+name, func() (string, error) { return one(e.Enabled, e.ID), nil },
			d.job(ctx, configure, cloud.Params{"id": e.ID, "enabled": true})); err != nil {
			return err
		}
	}
	_, err = d.ensure("provider "+name, func() (string, error) { return one(state == "Enabled", id), nil },
		d.job(ctx, "updateNetworkServiceProvider", cloud.Params{"id": id, "state": "Enabled"}))
	return err
}

// one is the id if it is so.
func one(is bool, id string) string {
	if is {
		return id
	}
	return ""
}

func (d *deployer) enableNetwork(ctx context.Context) error {
	_, err := d.ensure("physical network enabled, VLANs "+d.Plan.VLANs,
		d.found(ctx, "listPhysicalNetworks", cloud.Params{"zoneid": d.ZoneID}, func(e entry) bool {
			return e.ID == d.physical && e.State == "Enabled" && e.VLAN != ""
		}), d.job(ctx, "updatePhysicalNetwork", cloud.Params{"id": d.physical, "state": "Enabled", "vlan": d.Plan.VLANs}))
	return err
}

func (d *deployer) pods(ctx context.Context) (err error) {
	p := d.Plan.Pod
	d.pod, err = d.ensure("pod "+p.Name, d.found(ctx, "listPods", cloud.Params{"zoneid": d.ZoneID}, named(p.Name)),
		d.call(ctx, "createPod", cloud.Params{"zoneid": d.ZoneID, "name": p.Name, "gateway": p.Gateway, "netmask": p.Netmask, "startip": p.First, "endip": p.Last}))
	return err
}

// hosts adds clusters and their simulated hosts. A simulated host's name is its agent's, so hosts are told apart by number:
// a cluster that lacks some gets the last ones of its list.
func (d *deployer) hosts(ctx context.Context) error {
	for _, c := range d.Plan.Clusters {
		id, err := d.ensure("cluster "+c.Name, d.found(ctx, "listClusters", cloud.Params{"zoneid": d.ZoneID}, named(c.Name)),
			d.call(ctx, "addCluster", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod, "clustername": c.Name, "clustertype": "CloudManaged", "hypervisor": "simulator"}))
		if err != nil {
			return err
		}
		d.clusters[c.Name] = id
		have, err := d.hostsOf(ctx, id)
		if err != nil {
			return fmt.Errorf("hosts of cluster %s: %w", c.Name, err)
		}
		for i, url := range c.Hosts {
			if _, err := d.ensure("host "+url, func() (string, error) { return one(i < have, url), nil },
				d.call(ctx, "addHost", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod, "clusterid": id, "hypervisor": "simulator", "url": url,
					"username": "root", "password": "password"})); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *deployer) hostsOf(ctx context.Context, cluster string) (int, error) {
	if cluster == "" {
		return 0, nil
	}
	all, err := d.list(ctx, "listHosts", cloud.Params{"clusterid": cluster, "type": "Routing"})
	n := 0
	for _, h := range all {
		if h.ClusterID == cluster {
			n++
		}
	}
	return n, err
}

func (d *deployer) pools(ctx context.Context) error {
	for i, c := range d.Plan.Clusters {
		for j, url := range c.Pools {
			name := fmt.Sprintf("PS%d", i*len(c.Pools)+j)
			_, err := d.ensure("primary storage "+name, d.found(ctx, "listStoragePools", cloud.Params{"zoneid": d.ZoneID}, named(name)),
				d.call(ctx, "createStoragePool", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod, "clusterid": d.clusters[c.Name], "name": name, "url": url}))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *deployer) publicRange(ctx context.Context) error {
	p := d.Plan.Public
	_, err := d.ensure("public range "+p.First+" - "+p.Last,
		d.found(ctx, "listVlanIpRanges", cloud.Params{"zoneid": d.ZoneID}, func(e entry) bool { return e.StartIP == p.First }),
		d.call(ctx, "createVlanIpRange", cloud.Params{"zoneid": d.ZoneID, "vlan": p.VLAN, "startip": p.First, "endip": p.Last, "gateway": p.Gateway,
			"netmask": p.Netmask, "forvirtualnetwork": true}))
	return err
}

func (d *deployer) images(ctx context.Context) error {
	_, err := d.ensure("secondary storage", d.found(ctx, "listImageStores", cloud.Params{"zoneid": d.ZoneID}, func(entry) bool { return true }),
		d.call(ctx, "addImageStore", cloud.Params{"zoneid": d.ZoneID, "provider": "NFS", "url": d.Plan.ImageStore}))
	return err
}

func (d *deployer) enableZone(ctx context.Context) error {
	_, err := d.ensure("zone enabled", d.found(ctx, "listZones", cloud.Params{"name": d.Plan.Zone}, func(e entry) bool {
		return e.Name == d.Plan.Zone && e.AllocationState == "Enabled"
	}), d.call(ctx, "updateZone", cloud.Params{"id": d.ZoneID, "allocationstate": "Enabled"}))
	return err
}
