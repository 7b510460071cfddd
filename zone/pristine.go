package zone

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// pristine builds what an advanced simulator zone has before anybody calls it (facts: cloudstack.md 4.1).
func (z *Zone) pristine(ctx context.Context) error {
	z.site = &Site{
		ID: 1, UUID: z.uuid(), Token: z.uuid(), PodUUID: z.uuid(), PhysicalNetworkUUID: z.uuid(), VLANUUID: z.uuid(),
	}
	z.userRole, z.adminRole = z.uuid(), z.uuid()
	z.site.OSType = z.uuid()
	z.offerings()
	z.site.BackupOffering = z.uuid()
	if z.bare {
		return z.pristineBare(ctx)
	}
	for _, step := range []func(context.Context) error{
		z.pristineAccounts, z.insertZone, z.pristineVersion, z.pristineHosts, z.pristineNetworks, z.pristineAddresses, z.settingsAtStart, z.counterDefaults,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (z *Zone) pristineAccounts(ctx context.Context) error {
	root := &Domain{ID: 1, UUID: z.uuid(), Name: "ROOT", Path: "/", Created: z.now()}
	z.domains = append(z.domains, root)
	if _, err := z.insert(ctx, "cloud.domain", obj{"id": 1, "uuid": root.UUID, "name": "ROOT", "owner": 2, "path": "/", "created": z.now()}); err != nil {
		return err
	}
	for i, name := range []string{"system", "admin"} {
		a := &Account{ID: int64(i + 1), UUID: z.uuid(), Name: name, Type: 1, Domain: root, State: "enabled", Created: z.now(), Default: true}
		z.accounts = append(z.accounts, a)
		if err := z.insertAccount(ctx, a, obj{"id": a.ID, "default": 1}); err != nil {
			return err
		}
		u := &User{ID: a.ID, UUID: z.uuid(), Username: name, Account: a, Created: a.Created, FirstName: capitalize(name), LastName: "User", State: "enabled"}
		z.users = append(z.users, u)
	}
	z.ids["cloud.user"] = 2
	z.system, z.admin = z.users[0], z.users[1]
	z.systemCaller = z.system
	z.admin.Password, z.admin.Email = "password", "admin@mailprovider.com"
	z.admin.APIKey, z.admin.SecretKey = z.key(), z.key()
	return nil
}

// key is an API or secret key: 64 random bytes in URL-safe base64 without padding, as registerUserKeys makes them.
func (z *Zone) key() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	for range 86 {
		b.WriteByte(letters[z.number(len(letters))])
	}
	return b.String()
}

func (z *Zone) insertZone(ctx context.Context) error {
	_, err := z.insert(ctx, "cloud.data_center", obj{
		"id": z.site.ID, "name": "Sandbox-simulator", "uuid": z.site.UUID, "dns1": "10.147.28.6", "internal_dns1": "10.147.28.6",
		"guest_network_cidr": "10.1.1.0/24", "networktype": "Advanced", "zone_token": z.site.Token, "created": z.now(),
	})
	return err
}

func (z *Zone) pristineVersion(ctx context.Context) error {
	_, err := z.insert(ctx, "cloud.version", obj{"version": z.Version(), "updated": z.now(), "step": "Complete"})
	return err
}

func (z *Zone) pristineHosts(ctx context.Context) error {
	for i := range 4 {
		z.hosts = append(z.hosts, &Host{ID: int64(i + 1), UUID: z.uuid(), Name: "SimulatedAgent." + z.uuid()})
	}
	_, err := z.insertSystemVMs(ctx)
	return err
}

// insertSystemVMs makes the rows of the storage and console VMs.
func (z *Zone) insertSystemVMs(ctx context.Context) (names []string, err error) {
	names = []string{"s-1-VM", "v-2-VM"}
	for i, name := range names {
		kind := []string{"SecondaryStorageVm", "ConsoleProxy"}[i]
		if _, err := z.insert(ctx, "cloud.vm_instance", obj{
			"name": name, "uuid": z.uuid(), "instance_name": name, "state": "Running", "guest_os_id": 1, "data_center_id": z.site.ID,
			"vnc_password": "", "created": z.now(), "type": kind, "vm_type": kind, "account_id": 1, "domain_id": 1,
			"service_offering_id": 10 + i, "hypervisor_type": "Simulator",
		}); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// firstNetwork makes the first tier network 212, as on a fresh simulator zone; the system networks stand before it.
const firstNetwork = 212

func (z *Zone) pristineNetworks(ctx context.Context) error {
	for i, traffic := range []string{"Public", "Management", "Control", "Storage"} {
		n := &Network{ID: int64(firstNetwork - 4 + i), UUID: z.uuid(), State: "Setup", Account: z.system.Account, Created: z.now()}
		switch traffic {
		case "Public":
			z.site.PublicNetwork = n
		case "Control":
			z.site.ControlNetwork = n
		}
		if _, err := z.insert(ctx, "cloud.networks", obj{
			"id": n.ID, "uuid": n.UUID, "traffic_type": traffic, "broadcast_domain_type": "Native", "network_offering_id": i + 1,
			"data_center_id": z.site.ID, "guru_name": traffic + "NetworkGuru", "state": "Setup", "related": n.ID, "domain_id": 1,
			"account_id": 1, "created": z.now(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// publicRange is 192.168.2.2 to .200; two addresses belong to the system VMs.
const (
	publicFirst, publicLast = 2, 200
	systemAddresses         = 2
)

func (z *Zone) pristineAddresses(ctx context.Context) error {
	at := func(i byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 168, 2, i}) }
	return z.addAddresses(ctx, at(publicFirst), at(publicLast), systemAddresses)
}

// addAddresses makes a range of public addresses, of which the first few are the system's.
func (z *Zone) addAddresses(ctx context.Context, first, last netip.Addr, system int) error {
	const columns = "(id,uuid,public_ip_address,data_center_id,vlan_db_id,state,mac_address,source_network_id,physical_network_id,account_id,domain_id,allocated,forsystemvms,created)"
	var rows []string
	var values []any
	for ip := first; ip.Compare(last) <= 0; ip = ip.Next() {
		a := &Address{ID: int64(len(z.addresses) + 1), UUID: z.uuid(), IP: ip, State: "Free"}
		var owner, domain, at any
		if len(z.addresses) < system {
			a.State, a.Account, a.Allocated = "Allocated", z.system.Account, z.now()
			owner, domain, at = 1, 1, z.now().Truncate(time.Second)
		}
		z.addresses = append(z.addresses, a)
		rows = append(rows, "(?,?,?,?,1,?,?,?,1,?,?,?,0,?)")
		values = append(values, a.ID, a.UUID, a.IP.String(), z.site.ID, a.State, a.ID, z.site.PublicNetwork.ID, owner, domain, at, z.now().Truncate(time.Second))
	}
	if _, err := z.store.db.ExecContext(ctx, "INSERT INTO cloud.user_ip_address "+columns+" VALUES "+strings.Join(rows, ","), values...); err != nil {
		return fmt.Errorf("inserting the public addresses: %w", err)
	}
	return nil
}

func (z *Zone) settingsAtStart(ctx context.Context) error {
	return z.pristineConfiguration(ctx, z.startSettings)
}
