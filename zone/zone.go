// Package zone is the embedded lab zone: the part of a CloudStack management server and usage server that LB rules,
// stickiness, autoscale groups and their usage need, with the releases' behaviour, faults included.
//
// Its rooms are packages of their own, each above those that it uses: kernel (calls, jobs, events, clock, lock),
// store, tenancy, net, compute, firewall, push, lb, autoscale, metering and site. What a room asks of a higher one
// is a hook that this package gives it.
//
// It is not CloudStack: hypervisors are as simulated as in the simulator zone, and the virtual router is somebody
// else's (pushes go to Options.Pushes). Before changing it know that objects live in memory and every row that a
// test may look at is mirrored into a real MariaDB at once; the usage server (zone/usage) sees only the database.
package zone

import (
	"context"
	"io"
	"log/slog"
	gonet "net"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/database"
	"github.com/stackproof/stackproof/zone/faults"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/metering"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/site"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// ErrRefused is the answer of a router that looked at what was pushed and refuses it (Pushes).
var ErrRefused = net.ErrRefused

// What a user of the zone needs of its rooms.
type (
	Push          = net.Push
	Pushes        = net.Pushes
	Forwards      = net.Forwards
	Forward       = net.Forward
	Clock         = kernel.Clock
	Manual        = kernel.Manual
	Scaled        = kernel.Scaled
	Wall          = kernel.Wall
	UsageEnd      = metering.UsageEnd
	UsageSettings = metering.UsageSettings
	RowRepair     = site.RowRepair
	ForgedEvent   = site.ForgedEvent
)

// How a usage server ends, the host of the first one, and the log message about parameters that a command does not
// have.
const (
	UsageStopped      = metering.UsageStopped
	UsageKilled       = metering.UsageKilled
	UsageKilledInRun  = metering.UsageKilledInRun
	FirstUsageHost    = metering.FirstUsageHost
	UnknownParameters = kernel.UnknownParameters
)

// Options say what zone to open. Zero values are usable but for Release and DB.
type Options struct {
	Release string
	Knobs   release.Knobs // default: the release's profile
	DB      *database.Server
	Clock   Clock // default: the wall clock
	Pushes  Pushes
	// ManagementLog receives one line a push, as the management server logs it.
	ManagementLog io.Writer
	Log           *slog.Logger
	// Listen and ListenIntegration are host:port of the API and of the unauthenticated port; default 127.0.0.1:0.
	Listen, ListenIntegration string
	// Listener is where the API listens in place of Listen; the zone closes it.
	Listener gonet.Listener
	// Seed makes uuids, secrets and MACs repeatable.
	Seed int64
	// Bare opens a management server without a zone: one is set up through the API.
	Bare bool
	// Load is how busy the management server is.
	Load Load
	// Settings are values of the configuration that the server starts with, by name.
	Settings map[string]string
	// Inherit fills the databases of the pristine zone with what an earlier server left there. It is called before the
	// usage server starts, so that the zone's windows begin where the last one of the past ended. Nil is no past.
	Inherit func(ctx context.Context, db *database.Server) error
}

// Zone is a running lab zone.
type Zone struct {
	opts Options
	http *api.Server

	kernel    *kernel.Kernel
	tenancy   *tenancy.Manager
	net       *net.Manager
	compute   *compute.Manager
	firewall  *firewall.Manager
	push      *push.Manager
	lb        *lb.Manager
	autoscale *autoscale.Manager
	metering  *metering.Manager
	site      *site.Manager
	faults    *faults.Faults
}
