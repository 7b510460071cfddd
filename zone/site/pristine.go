package site

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const (
	publicFirst     = 2
	systemAddresses = 2
)

// Pristine builds what an advanced simulator zone has before anybody calls it (facts: cloudstack.md 4.1).
func (mgr *Manager) Pristine(ctx context.Context) error {
	mgr.net.Site = &net.Site{
		ID: 1, UUID: mgr.UUID(), Token: mgr.UUID(), PodUUID: mgr.UUID(), PhysicalNetworkUUID: mgr.UUID(),
		VLANUUID: mgr.UUID(),
	}
	mgr.tenancy.UserRole, mgr.tenancy.AdminRole = mgr.UUID(), mgr.UUID()
	mgr.net.Site.OSType = mgr.UUID()
	mgr.net.Offerings()
	mgr.net.Site.BackupOffering = mgr.UUID()
	if mgr.net.Bare {
		return mgr.pristineBare(ctx)
	}
	for _, step := range []func(context.Context) error{
		mgr.pristineAccounts, mgr.insertZone, mgr.pristineVersion, mgr.pristineHosts, mgr.pristineNetworks,
		mgr.pristineAddresses, mgr.settingsAtStart, mgr.autoscale.CounterDefaults,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (mgr *Manager) pristineAccounts(ctx context.Context) error {
	root := &tenancy.Domain{ID: 1, UUID: mgr.UUID(), Name: "ROOT", Path: "/", Created: mgr.Now()}
	mgr.tenancy.Domains.Add(root)
	if _, err := mgr.Insert(ctx, "cloud.domain", obj{"id": 1, "uuid": root.UUID, "name": "ROOT", "owner": 2,
		"path": "/", "created": mgr.Now()}); err != nil {
		return err
	}
	for i, name := range []string{"system", "admin"} {
		a := &tenancy.Account{ID: int64(i + 1), UUID: mgr.UUID(), Name: name, Type: 1, Domain: root, State: "enabled",
			Created: mgr.Now(), Default: true}
		mgr.tenancy.Accounts.Add(a)
		if err := mgr.tenancy.InsertAccount(ctx, a, obj{"id": a.ID, "default": 1}); err != nil {
			return err
		}
		u := &tenancy.User{ID: a.ID, UUID: mgr.UUID(), Username: name, Account: a, Created: a.Created, Default: true,
			FirstName: kernel.Capitalize(name), LastName: "User", State: "enabled"}
		mgr.tenancy.Users.Add(u)
	}
	mgr.NextID("cloud.user") // the two above
	mgr.NextID("cloud.user")
	mgr.tenancy.System, mgr.tenancy.Admin = mgr.tenancy.Users.All()[0], mgr.tenancy.Users.All()[1]
	mgr.Kernel.System = mgr.tenancy.System
	mgr.tenancy.Admin.Password, mgr.tenancy.Admin.Email = "password", "admin@mailprovider.com"
	mgr.tenancy.Admin.APIKey, mgr.tenancy.Admin.SecretKey = mgr.tenancy.Key(), mgr.tenancy.Key()
	if mgr.On(release.KeyPairs) {
		mgr.tenancy.Admin.KeepKeys(mgr.UUID(), mgr.Now())
	}
	return nil
}

func (mgr *Manager) insertZone(ctx context.Context) error {
	_, err := mgr.Insert(ctx, "cloud.data_center", obj{
		"id": mgr.net.Site.ID, "name": "Sandbox-simulator", "uuid": mgr.net.Site.UUID, "dns1": "10.147.28.6",
		"internal_dns1":      "10.147.28.6",
		"guest_network_cidr": "10.1.1.0/24", "networktype": "Advanced", "zone_token": mgr.net.Site.Token,
		"created": mgr.Now(),
	})
	return err
}

func (mgr *Manager) pristineVersion(ctx context.Context) error {
	_, err := mgr.Insert(ctx, "cloud.version", obj{"version": mgr.Version(), "updated": mgr.Now(), "step": "Complete"})
	return err
}

func (mgr *Manager) pristineHosts(ctx context.Context) error {
	for i := range 4 {
		mgr.net.Hosts = append(mgr.net.Hosts, &net.Host{ID: int64(i + 1), UUID: mgr.UUID(),
			Name: "SimulatedAgent." + mgr.UUID()})
	}
	_, err := mgr.insertSystemVMs(ctx)
	return err
}

// insertSystemVMs makes the rows of the storage and console VMs.
func (mgr *Manager) insertSystemVMs(ctx context.Context) (names []string, err error) {
	names = []string{"s-1-VM", "v-2-VM"}
	for i, name := range names {
		kind := []string{"SecondaryStorageVm", "ConsoleProxy"}[i]
		if _, err := mgr.Insert(ctx, "cloud.vm_instance", obj{
			"name": name, "uuid": mgr.UUID(), "instance_name": name, "state": "Running", "guest_os_id": 1,
			"data_center_id": mgr.net.Site.ID,
			"vnc_password":   "", "created": mgr.Now(), "type": kind, "vm_type": kind, "account_id": 1, "domain_id": 1,
			"service_offering_id": 10 + i, "hypervisor_type": "Simulator",
		}); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// firstNetwork makes the first tier network 212, as on a fresh simulator zone; the system networks stand before it.
const firstNetwork = 212

func (mgr *Manager) pristineNetworks(ctx context.Context) error {
	for i, traffic := range []string{"Public", "Management", "Control", "Storage"} {
		n := &net.Network{ID: int64(firstNetwork - 4 + i), UUID: mgr.UUID(), State: "Setup",
			Account: mgr.tenancy.System.Account, Created: mgr.Now()}
		switch traffic {
		case "Public":
			mgr.net.Site.PublicNetwork = n
		case "Control":
			mgr.net.Site.ControlNetwork = n
		}
		if _, err := mgr.Insert(ctx, "cloud.networks", obj{
			"id": n.ID, "uuid": n.UUID, "traffic_type": traffic, "broadcast_domain_type": "Native",
			"network_offering_id": i + 1,
			"data_center_id":      mgr.net.Site.ID, "guru_name": traffic + "NetworkGuru", "state": "Setup",
			"related": n.ID, "domain_id": 1,
			"account_id": 1, "created": mgr.Now(),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (mgr *Manager) pristineAddresses(ctx context.Context) error {
	at := func(i byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, 2, i}) }
	return mgr.addAddresses(ctx, at(publicFirst), at(net.PublicLast), systemAddresses)
}

// addAddresses makes a range of public addresses, of which the first few are the system's.
func (mgr *Manager) addAddresses(ctx context.Context, first, last netip.Addr, system int) error {
	const columns = "(id,uuid,public_ip_address,data_center_id,vlan_db_id,state,mac_address,source_network_id," +
		"physical_network_id,account_id,domain_id,allocated,forsystemvms,created)"
	var rows []string
	var values []any
	for ip := first; ip.Compare(last) <= 0; ip = ip.Next() {
		a := &net.Address{ID: int64(len(mgr.net.Addresses.All()) + 1), UUID: mgr.UUID(), IP: ip, State: "Free"}
		var owner, domain, at any
		if len(mgr.net.Addresses.All()) < system {
			a.State, a.Account, a.Allocated = "Allocated", mgr.tenancy.System.Account, mgr.Now()
			owner, domain, at = 1, 1, mgr.Now().Truncate(time.Second)
		}
		mgr.net.Addresses.Add(a)
		rows = append(rows, "(?,?,?,?,1,?,?,?,1,?,?,?,0,?)")
		values = append(values, a.ID, a.UUID, a.IP.String(), mgr.net.Site.ID, a.State, a.ID,
			mgr.net.Site.PublicNetwork.ID, owner, domain, at, mgr.Now().Truncate(time.Second))
	}
	if _, err := mgr.DB().ExecContext(ctx, "INSERT INTO cloud.user_ip_address "+columns+" VALUES "+strings.Join(rows,
		","), values...); err != nil {
		return fmt.Errorf("inserting the public addresses: %w", err)
	}
	return nil
}

func (mgr *Manager) settingsAtStart(ctx context.Context) error {
	return mgr.tenancy.PristineConfiguration(ctx, mgr.startSettings)
}
