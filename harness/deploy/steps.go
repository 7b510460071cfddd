package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
)

func (d *deployer) zone(ctx context.Context) (err error) {
	p := d.Plan
	d.ZoneID, err = d.ensure("zone "+p.Zone, found[dataCenter](ctx, d, "listZones", cloud.Params{"name": p.Zone},
		named[dataCenter](p.Zone)),
		call[dataCenter](ctx, d, "createZone", cloud.Params{"name": p.Zone, "networktype": "Advanced", "dns1": p.DNS,
			"internaldns1": p.InternalDNS, "guestcidraddress": p.GuestCIDR}))
	return err
}

func (d *deployer) network(ctx context.Context) (err error) {
	name := d.Plan.PhysicalNetwork
	d.physical, err = d.ensure("physical network "+name, found[physicalNetwork](ctx, d, "listPhysicalNetworks",
		cloud.Params{"zoneid": d.ZoneID}, named[physicalNetwork](name)),
		job[physicalNetwork](ctx, d, "createPhysicalNetwork", cloud.Params{"zoneid": d.ZoneID, "name": name,
			"isolationmethods": "VLAN"}))
	if err != nil {
		return err
	}
	for _, traffic := range []string{"Guest", "Management", "Public"} {
		p := cloud.Params{"physicalnetworkid": d.physical}
		_, err := d.ensure("traffic type "+traffic, found[trafficType](ctx, d, "listTrafficTypes", p,
			func(e trafficType) bool { return e.TrafficType == traffic }),
			job[trafficType](ctx, d, "addTrafficType", cloud.Params{"physicalnetworkid": d.physical,
				"traffictype": traffic}))
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
	all, err := listed[provider](ctx, d, "listNetworkServiceProviders", cloud.Params{"physicalnetworkid": d.physical,
		"name": name})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, named[provider](name))
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
	elements, err := listed[element](ctx, d, listing, cloud.Params{"nspid": id})
	if err != nil {
		return err
	}
	if id == "" && d.DryRun {
		elements = []element{{}} // one comes with each provider
	}
	for _, e := range elements {
		if _, err := d.ensure("element of "+name, func() (string, error) { return one(e.Enabled, e.ID), nil },
			job[element](ctx, d, configure, cloud.Params{"id": e.ID, "enabled": true})); err != nil {
			return err
		}
	}
	_, err = d.ensure("provider "+name, func() (string, error) { return one(state == "Enabled", id), nil },
		job[provider](ctx, d, "updateNetworkServiceProvider", cloud.Params{"id": id, "state": "Enabled"}))
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
		found[physicalNetwork](ctx, d, "listPhysicalNetworks", cloud.Params{"zoneid": d.ZoneID},
			func(e physicalNetwork) bool {
				return e.ID == d.physical && e.State == "Enabled" && e.VLAN != ""
			}), job[physicalNetwork](ctx, d, "updatePhysicalNetwork", cloud.Params{"id": d.physical, "state": "Enabled",
			"vlan": d.Plan.VLANs}))
	return err
}

func (d *deployer) pods(ctx context.Context) (err error) {
	p := d.Plan.Pod
	d.pod, err = d.ensure("pod "+p.Name, d.foundPod(ctx, p), call[pod](ctx, d, "createPod",
		cloud.Params{"zoneid": d.ZoneID, "name": p.Name, "gateway": p.Gateway,
			"netmask": p.Netmask, "startip": p.First, "endip": p.Last}))
	return err
}

// foundPod looks for the pod by its name. One of that name with other ranges is taken, and said.
func (d *deployer) foundPod(ctx context.Context, p Pod) func() (string, error) {
	return found(ctx, d, "listPods", cloud.Params{"zoneid": d.ZoneID}, func(e pod) bool {
		if e.Name != p.Name {
			return false
		}
		if have := e.ranges(); !slices.Contains(have, p.First+" - "+p.Last) {
			d.Show(fmt.Sprintf("pod %s has %s", p.Name, strings.Join(have, ", ")), Kept)
		}
		return true
	})
}

// hosts adds clusters and their simulated hosts. A simulated host's name is its agent's, so hosts are told apart by
// number: a cluster that lacks some gets the last ones of its list.
func (d *deployer) hosts(ctx context.Context) error {
	for _, c := range d.Plan.Clusters {
		id, err := d.ensure("cluster "+c.Name, found[cluster](ctx, d, "listClusters", cloud.Params{"zoneid": d.ZoneID},
			named[cluster](c.Name)),
			call[cluster](ctx, d, "addCluster", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod, "clustername": c.Name,
				"clustertype": "CloudManaged", "hypervisor": "simulator"}))
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
				call[host](ctx, d, "addHost", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod, "clusterid": id,
					"hypervisor": "simulator", "url": url,
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
	all, err := listed[host](ctx, d, "listHosts", cloud.Params{"clusterid": cluster, "type": "Routing"})
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
			_, err := d.ensure("primary storage "+name, found[storagePool](ctx, d, "listStoragePools",
				cloud.Params{"zoneid": d.ZoneID}, named[storagePool](name)),
				call[storagePool](ctx, d, "createStoragePool", cloud.Params{"zoneid": d.ZoneID, "podid": d.pod,
					"clusterid": d.clusters[c.Name], "name": name, "url": url}))
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
		found[publicRange](ctx, d, "listVlanIpRanges", cloud.Params{"zoneid": d.ZoneID},
			func(e publicRange) bool { return e.StartIP == p.First }),
		call[publicRange](ctx, d, "createVlanIpRange", cloud.Params{"zoneid": d.ZoneID, "vlan": p.VLAN,
			"startip": p.First, "endip": p.Last, "gateway": p.Gateway,
			"netmask": p.Netmask, "forvirtualnetwork": true}))
	return err
}

func (d *deployer) images(ctx context.Context) error {
	_, err := d.ensure("secondary storage", found[imageStore](ctx, d, "listImageStores",
		cloud.Params{"zoneid": d.ZoneID}, func(imageStore) bool { return true }),
		call[imageStore](ctx, d, "addImageStore", cloud.Params{"zoneid": d.ZoneID, "provider": "NFS",
			"url": d.Plan.ImageStore}))
	return err
}

func (d *deployer) enableZone(ctx context.Context) error {
	_, err := d.ensure("zone enabled", found[dataCenter](ctx, d, "listZones", cloud.Params{"name": d.Plan.Zone},
		func(e dataCenter) bool {
			return e.Name == d.Plan.Zone && e.AllocationState == "Enabled"
		}), call[dataCenter](ctx, d, "updateZone", cloud.Params{"id": d.ZoneID, "allocationstate": "Enabled"}))
	return err
}
