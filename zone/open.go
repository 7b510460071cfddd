package zone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
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

// Open starts a pristine zone of a release: its database emptied, the API listening.
func Open(ctx context.Context, opts Options) (_ *Zone, err error) {
	z, err := newZone(opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, z.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := z.openDatabase(ctx); err != nil {
		return nil, err
	}
	z.kernel.Lock()
	err = z.site.Pristine(ctx)
	z.kernel.Unlock()
	if err != nil {
		return nil, fmt.Errorf("preparing a pristine zone: %w", err)
	}
	if opts.Inherit != nil {
		if err := opts.Inherit(ctx, opts.DB); err != nil {
			return nil, fmt.Errorf("filling the zone with its past: %w", err)
		}
	}
	if err := z.site.StartHeartbeat(ctx); err != nil {
		return nil, err
	}
	if err := z.metering.StartUsage(ctx, metering.FirstUsageHost, metering.UsageSettings{}); err != nil {
		return nil, err
	}
	z.kernel.Start()
	z.http, err = api.Listen(api.Options{
		Listen: opts.Listen, Listener: opts.Listener, ListenIntegration: opts.ListenIntegration, Backend: z,
		Log: z.kernel.Log, Page: z.site.Page,
		SessionKeyEither: z.kernel.On(release.SessionKeyEither), Date: z.dateHeader(), Lost: z.kernel.Lost,
	})
	if err != nil {
		return z, err
	}
	z.kernel.Lock()
	defer z.kernel.Unlock()
	return z, z.tenancy.TellEndpoint(ctx, z.APIURL())
}

// newZone fills in the options' defaults.
func newZone(opts Options) (*Zone, error) {
	profile, err := release.ProfileKnobs(opts.Release)
	if err != nil {
		return nil, err
	}
	if opts.Knobs == nil {
		opts.Knobs = profile
	}
	if opts.DB == nil {
		return nil, errors.New("a zone needs a database server")
	}
	if opts.Clock == nil {
		opts.Clock = Wall{}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.ManagementLog == nil {
		opts.ManagementLog = io.Discard
	}
	k := kernel.New(kernel.Options{Release: opts.Release, Knobs: opts.Knobs, Clock: opts.Clock, Log: opts.Log,
		Load: opts.Load, Seed: opts.Seed})
	z := &Zone{opts: opts, kernel: k}
	z.tenancy = tenancy.New(k)
	z.net = net.New(k, z.tenancy, opts.Pushes, opts.Bare)
	z.compute = compute.New(k, z.tenancy, z.net)
	z.firewall = firewall.New(k, z.tenancy, z.net, z.compute)
	z.push = push.New(k, z.tenancy, z.net, z.compute, opts.ManagementLog)
	z.lb = lb.New(k, z.tenancy, z.net, z.compute, z.firewall, z.push)
	z.autoscale = autoscale.New(k, z.tenancy, z.net, z.compute, z.firewall, z.push, z.lb)
	z.metering = metering.New(k, z.tenancy, z.net, z.compute, z.firewall, z.push, opts.Seed)
	z.site = site.New(k, z.tenancy, z.net, z.compute, z.firewall, z.push, z.autoscale, z.metering, opts.Settings)
	z.faults = faults.New(k, z.push, z.lb, z.autoscale, z.compute, z.firewall)
	for _, finders := range []map[string]func(string) bool{
		z.tenancy.Finders(), z.net.Finders(), z.compute.Finders(), z.firewall.Finders(), z.lb.Finders(),
		z.autoscale.Finders(),
	} {
		k.AddFinders(finders)
	}
	z.connect()
	return z, k.Register(z.faults.Commands(z.commands()))
}

// dateHeader is the time in the header of that name where the zone's time is not the computer's, so that a client
// can follow it. On the wall clock the API has none, as a packaged management server's has none
// (ServerDaemon.java@4.20.0.0).
func (z *Zone) dateHeader() func() time.Time {
	if _, wall := z.kernel.Clock.(Wall); wall {
		return nil
	}
	return z.kernel.Clock.Now
}

func (z *Zone) openDatabase(ctx context.Context) error {
	if err := z.opts.DB.Reset(ctx); err != nil {
		return fmt.Errorf("emptying the databases: %w", err)
	}
	return z.kernel.UseDatabase(ctx, z.opts.DB)
}

// Close stops the API, lets queued jobs end, and stops everything that works in the background.
func (z *Zone) Close(ctx context.Context) error {
	var errs []error
	z.kernel.Hurry()
	if z.http != nil {
		errs = append(errs, z.http.Close(ctx))
	}
	if err := z.kernel.Stop(ctx); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, p := range z.metering.Usages {
		errs = append(errs, p.Server.Stop(ctx, true))
	}
	if z.kernel.DB() != nil {
		errs = append(errs, z.site.DropRemoved(ctx), z.kernel.DB().Close())
	}
	return errors.Join(errs...)
}

// APIURL is the address of the signed API, IntegrationURL that of the unauthenticated port.
func (z *Zone) APIURL() string         { return z.http.URL() }
func (z *Zone) IntegrationURL() string { return z.http.IntegrationURL() }

// APIKey and SecretKey belong to the root admin.
func (z *Zone) APIKey() string    { return z.tenancy.Admin.APIKey }
func (z *Zone) SecretKey() string { return z.tenancy.Admin.SecretKey }
