package audit

import (
	"slices"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

type foundFunc = func(kind usageprobe.Kind, part uint32, life usageprobe.Life)

// liveSources follow the states of the objects of cloud (the state machines of 4.16 to 4.22). What is on its way in
// or out is Undecided.
func (l *ledger) liveSources() []liveSource {
	c := l.cloud
	notRemoved := func(table, where string) string {
		if !c.has(table, "removed") {
			return where
		}
		if where == "" {
			return "removed IS NULL"
		}
		return where + " AND removed IS NULL"
	}
	state := func(alive, undecided []string, kinds ...usageprobe.Kind) func(*fields, foundFunc) {
		return func(f *fields, found foundFunc) {
			life, text := usageprobe.Dead, string(f.text())
			switch {
			case slices.Contains(alive, text):
				life = usageprobe.Alive
			case slices.Contains(undecided, text):
				life = usageprobe.Undecided
			}
			for _, k := range kinds {
				found(k, 0, life)
			}
		}
	}
	sources := []liveSource{
		{
			kinds: []usageprobe.Kind{usageprobe.KindLB, usageprobe.KindPF},
			table: "firewall_rules",
			needs: []string{"purpose", "state"},
			columns: []string{
				"purpose",
				"state",
			},
			where:      notRemoved("firewall_rules", "purpose IN ('LoadBalancing', 'PortForwarding', 'StaticNat')"),
			each:       liveRule,
			absent:     usageprobe.Dead,
			mayBeEmpty: true,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindIP},
			table:   "user_ip_address",
			needs:   []string{"state", "allocated"},
			columns: []string{"state"},
			where: notRemoved(
				"user_ip_address",
				"allocated IS NOT NULL AND state <> 'Free'"+c.either(
					"user_ip_address",
					"is_portable",
					" AND is_portable = 0",
					"",
				)+
					c.either(
						"user_ip_address",
						"forsystemvms",
						" AND forsystemvms = 0",
						"",
					),
			),
			each: state(
				[]string{"Allocated"},
				[]string{"Allocating", "Releasing", "Reserved"},
				usageprobe.KindIP,
			),
			absent: usageprobe.Dead,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindNetwork},
			table:   "networks",
			needs:   []string{"state", "removed"},
			columns: []string{"state"},
			where:   "removed IS NULL",
			each: state(
				[]string{"Allocated", "Setup", "Implementing", "Implemented"},
				[]string{"Shutdown", "Destroy"},
				usageprobe.KindNetwork,
			),
			absent: usageprobe.Dead,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindVPC},
			table:   "vpc",
			needs:   []string{"state", "removed"},
			columns: []string{"state"},
			where:   "removed IS NULL",
			each:    state([]string{"Enabled", "enabled"}, []string{"Inactive", "inactive"}, usageprobe.KindVPC),
			absent:  usageprobe.Dead,
		},
		{
			kinds: []usageprobe.Kind{usageprobe.KindVMRunning, usageprobe.KindVMAllocated},
			table: "vm_instance",
			needs: []string{"state", "type", "removed"},
			columns: []string{
				"state",
			},
			where:  "type = 'User' AND removed IS NULL",
			each:   liveVM,
			absent: usageprobe.Dead,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindVolume},
			table:   "volumes",
			needs:   []string{"state", "removed"},
			columns: []string{"state"},
			where:   "removed IS NULL",
			each: state(
				[]string{
					"Allocated",
					"Ready",
					"Attaching",
					"Migrating",
					"Snapshotting",
					"RevertSnapshotting",
					"Resizing",
					"Copying",
				},
				[]string{
					"Creating",
					"Destroy",
					"Destroying",
					"Expunging",
					"Uploaded",
					"UploadOp",
					"NotUploaded",
					"UploadInProgress",
					"UploadError",
					"UploadAbandoned",
				},
				usageprobe.KindVolume,
			),
			absent: usageprobe.Dead,
		},
		{
			kinds: []usageprobe.Kind{usageprobe.KindVolumeOfVM},
			table: "volumes",
			needs: []string{"state", "removed", "instance_id"},
			columns: []string{
				number("instance_id"),
			},
			where:  "removed IS NULL AND instance_id IS NOT NULL AND state = 'Ready'",
			each:   func(f *fields, found foundFunc) { found(usageprobe.KindVolumeOfVM, f.id(), usageprobe.Alive) },
			absent: usageprobe.Dead,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindVPNUser},
			table:   "vpn_users",
			needs:   []string{"owner_id", "state"},
			columns: []string{"state"},
			each: state(
				[]string{"Active"},
				[]string{"Add", "Revoke"},
				usageprobe.KindVPNUser,
			),
			absent:     usageprobe.Dead,
			mayBeEmpty: true,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindSnapshot},
			table:   "snapshots",
			needs:   []string{"status", "removed"},
			columns: []string{"status"},
			where:   "removed IS NULL",
			each: state(
				[]string{"BackedUp"},
				[]string{"Allocated", "Creating", "CreatedOnPrimary", "BackingUp", "Copying", "Destroying"},
				usageprobe.KindSnapshot,
			),
			absent: usageprobe.Dead,
		},
		// A template may be gone in one zone and there in another: that it is there decides nothing.
		{
			kinds:  []usageprobe.Kind{usageprobe.KindTemplate, usageprobe.KindISO},
			table:  "vm_template",
			needs:  []string{"removed"},
			where:  "removed IS NULL",
			each:   func(*fields, foundFunc) {},
			absent: usageprobe.Unknown,
		},
		{
			kinds:   []usageprobe.Kind{usageprobe.KindVMSnapshot, usageprobe.KindOnPrimary},
			table:   "vm_snapshots",
			needs:   []string{"vm_id", "state", "removed"},
			id:      "vm_id",
			columns: []string{"state"},
			where:   "removed IS NULL",
			each: state(
				[]string{"Ready", "Reverting"},
				[]string{"Allocated", "Creating", "Expunging"},
				usageprobe.KindVMSnapshot,
				usageprobe.KindOnPrimary,
			),
			absent:     usageprobe.Dead,
			mayBeEmpty: true,
		},
		{
			kinds:  []usageprobe.Kind{usageprobe.KindBackup},
			table:  "vm_instance",
			needs:  []string{"backup_offering_id"},
			where:  "type = 'User' AND backup_offering_id IS NOT NULL",
			each:   func(_ *fields, found foundFunc) { found(usageprobe.KindBackup, 0, usageprobe.Alive) },
			absent: usageprobe.Dead,
		},
		{
			kinds:      []usageprobe.Kind{usageprobe.KindBackup},
			table:      "backups",
			needs:      []string{"vm_id", "removed"},
			where:      "removed IS NULL",
			id:         "vm_id",
			each:       func(_ *fields, found foundFunc) { found(usageprobe.KindBackup, 0, usageprobe.Alive) },
			absent:     usageprobe.Unknown,
			mayBeEmpty: true,
		},
	}
	return append(sources, l.liveNICs())
}

// liveRule: a static NAT rule is billed as a port forwarding rule.
func liveRule(f *fields, found foundFunc) {
	kind := usageprobe.KindPF
	if string(f.text()) == "LoadBalancing" {
		kind = usageprobe.KindLB
	}
	life := usageprobe.Alive
	if s := string(f.text()); s == "Revoke" || s == "Deleting" {
		life = usageprobe.Undecided
	}
	found(kind, 0, life)
}

func liveVM(f *fields, found foundFunc) {
	running, allocated := usageprobe.Undecided, usageprobe.Undecided
	switch string(f.text()) {
	case "Expunging", "Destroyed", "Error":
		running, allocated = usageprobe.Dead, usageprobe.Dead
	case "Running", "Migrating":
		running, allocated = usageprobe.Alive, usageprobe.Alive
	case "Stopped":
		running, allocated = usageprobe.Dead, usageprobe.Alive
	case "Starting", "Stopping":
		allocated = usageprobe.Alive
	}
	found(usageprobe.KindVMRunning, 0, running)
	found(usageprobe.KindVMAllocated, 0, allocated)
}

// liveNICs: a NIC's offering is billed while its VM runs; nics has no account.
func (l *ledger) liveNICs() liveSource {
	vm := func(column string) string {
		return "(SELECT " + column + " FROM cloud.vm_instance v WHERE v.id = t.instance_id AND v.type = 'User' AND " +
			"v.removed IS NULL)"
	}
	needs := []string{"instance_id", "removed"}
	if !l.cloud.has("vm_instance", "state", "type", "account_id", "removed") {
		needs = append(needs, "the VMs")
	}
	return liveSource{
		kinds: []usageprobe.Kind{usageprobe.KindNIC},
		table: "nics",
		needs: needs,
		id:    "instance_id",
		account: "COALESCE(" + vm(
			"account_id",
		) + ", 0)",
		columns: []string{"t.id", "COALESCE(" + vm("state") + ", '')"},
		where:   "removed IS NULL AND instance_id IS NOT NULL",
		each: func(f *fields, found foundFunc) {
			nic, life := f.id(), usageprobe.Undecided
			switch string(f.text()) {
			case "Running", "Migrating":
				life = usageprobe.Alive
			case "Stopped", "Destroyed", "Expunging", "":
				life = usageprobe.Dead
			}
			found(usageprobe.KindNIC, nic, life)
		},
		absent: usageprobe.Dead,
	}
}
