// Package room says what a zone that others use too has room for: how large the populations of groups may be, and
// whether addresses and limits allow for a run. It asks and creates nothing. How a run is told of it is the target's
// business.
package room

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/config"
)

// Room is the room of the zone that scenarios will choose.
type Room struct {
	Cloud  *cloud.Client
	Config config.Config
	ZoneID string

	// Slots are the smallest instances that the zone has room for; negative where it does not tell.
	Slots int64
	// answer is how long a call took when the room was measured.
	answer time.Duration
}

// Zone is a zone as the API lists it.
type Zone struct {
	ID, Name, NetworkType, AllocationState string
	SecurityGroupsEnabled                  bool
}

// Find is the zone that scenarios will choose.
func (r *Room) Find(ctx context.Context) (Zone, error) {
	var list struct{ Zone []Zone }
	if err := r.Cloud.Call(ctx, "listZones", nil, &list); err != nil {
		return Zone{}, fmt.Errorf("listing zones: %w", err)
	}
	var names []string
	for _, z := range list.Zone {
		if r.Config.Zone != "" && (z.Name == r.Config.Zone || z.ID == r.Config.Zone) ||
			r.Config.Zone == "" && z.NetworkType == "Advanced" && z.AllocationState == "Enabled" &&
				!z.SecurityGroupsEnabled {
			return z, nil
		}
		names = append(names, z.Name)
	}
	if r.Config.Zone != "" {
		return Zone{}, fmt.Errorf("there is no zone %q; did you mean %q?", r.Config.Zone,
			harness.Nearest(r.Config.Zone, names))
	}
	return Zone{}, fmt.Errorf("there is no enabled advanced zone (zones: %s): enable one, or set one up with "+
		"stackproof zone deploy", strings.Join(names, ", "))
}

// publicAddresses is the capacity type of public addresses (Capacity.java@4.20.0.0).
const publicAddresses = 4

// usual is what a scenario takes in its largest account, and in all of them: of addresses one for the router, one or
// two for its rules, one to set ids apart. Those that take more are in large.
func usual() (account, all Takes) { return Takes{4, 4, 3, 2}, Takes{4, 5, 3, 2} }

// large are the scenarios that take more in one account.
func large() map[string]Takes {
	return map[string]Takes{
		"L-66": {2, 7, 2, 1}, // a VPC and an isolated network, and addresses for what is not balanced
		"L-81": {5, 6, 3, 2},
	}
}

// addressesOf is how many public addresses scenarios take.
func addressesOf(chosen harness.Catalogue) (sum int) {
	for _, s := range chosen {
		account, _ := usual()
		sum += max(account.Addresses, large()[s.ID].Addresses)
	}
	return sum
}

// Addresses compares the zone's free public addresses with what the scenarios take. A server that does not list
// capacities is believed.
func (r *Room) Addresses(ctx context.Context, zone string, chosen harness.Catalogue) ([]string, error) {
	total, used, err := r.capacity(ctx, zone, publicAddresses)
	if err != nil || total < 0 {
		return nil, err
	}
	free, want := total-used, int64(addressesOf(chosen))
	if free < want {
		return nil, fmt.Errorf("the zone has %d of %d public addresses left, the run takes up to %d: add a public "+
			"range, or choose fewer scenarios (--scenario)", free, total, want)
	}
	return []string{fmt.Sprintf("public addresses: up to %d of %d free ones", want, free)}, nil
}
