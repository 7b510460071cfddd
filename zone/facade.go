package zone

import (
	"context"
	"net/netip"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/usage"
)

// Load is how busy a management server is, as Busy says of a loaded one.
type Load = kernel.Load

// Busy is how a management server of two cores behaves on which 24 scenarios were started at once.
func Busy() Load { return kernel.Busy() }

// NewManual returns a clock that stands at t, NewScaled one that runs many times as fast as the computer's.
func NewManual(t time.Time) *Manual   { return kernel.NewManual(t) }
func NewScaled(speed float64) *Scaled { return kernel.NewScaled(speed) }

// Find, Call, KeyOwner, Login and Version are what the API's transport asks for (api.Backend).
func (z *Zone) Find(name string) (root string, ok bool) { return z.kernel.Find(name) }

// Call carries out one API call.
func (z *Zone) Call(ctx context.Context, login any, name string, params map[string]string) (map[string]any, error) {
	return z.kernel.Call(ctx, login, name, params)
}

// KeyOwner finds the user of an API key.
func (z *Zone) KeyOwner(apiKey string) (login any, secret string, ok bool) {
	return z.tenancy.KeyOwner(apiKey)
}

// Login checks a password. Without a domain it is ROOT.
func (z *Zone) Login(username, password, domain, domainID string) (any, map[string]any, *api.Error) {
	return z.tenancy.Login(username, password, domain, domainID)
}

// Version is the release.
func (z *Zone) Version() string { return z.kernel.Version() }

// Knobs is a copy of what is switched on.
func (z *Zone) Knobs() release.Knobs { return z.kernel.Knobs() }

// Now is the zone's time.
func (z *Zone) Now() time.Time { return z.kernel.Now() }

// Advance lets d pass on a manual clock, with everything that falls due; on other clocks it waits for the time to come.
func (z *Zone) Advance(ctx context.Context, d time.Duration) error { return z.kernel.Advance(ctx, d) }

// Jobs waits for all jobs that were queued so far.
func (z *Zone) Jobs(ctx context.Context) error { return z.kernel.Jobs(ctx) }

// RouterNames lists the routers that exist, oldest first.
func (z *Zone) RouterNames() []string {
	z.kernel.Lock()
	defer z.kernel.Unlock()
	names := make([]string, len(z.net.Routers.All()))
	for i, r := range z.net.Routers.All() {
		names[i] = r.Name
	}
	return names
}

// Served are the addresses and ports at which the instances behind a router answer.
func (z *Zone) Served(router string) []netip.AddrPort {
	z.kernel.Lock()
	defer z.kernel.Unlock()
	return z.push.Served(router)
}

// StartUsage starts a usage server on a host.
func (z *Zone) StartUsage(ctx context.Context, host string, s UsageSettings) error {
	return z.metering.StartUsage(ctx, host, s)
}

// EndUsage ends the usage server on a host.
func (z *Zone) EndUsage(ctx context.Context, host string, how UsageEnd) error {
	return z.metering.EndUsage(ctx, host, how)
}

// RunUsage queues a single usage job and lets the usage server that owns it find it at once.
func (z *Zone) RunUsage(ctx context.Context) (usage.Job, error) { return z.metering.RunUsage(ctx) }

// RepairRows repairs rows of the usage server, all or none.
func (z *Zone) RepairRows(ctx context.Context, repairs ...RowRepair) error {
	return z.site.RepairRows(ctx, repairs...)
}

// ForgeEvents writes usage events that no call leads to, dated now.
func (z *Zone) ForgeEvents(ctx context.Context, events ...ForgedEvent) error {
	return z.site.ForgeEvents(ctx, events...)
}

// RepeatEvent writes the newest usage event of a type and resource once more.
func (z *Zone) RepeatEvent(ctx context.Context, typ string, resource int64) error {
	return z.site.RepeatEvent(ctx, typ, resource)
}

// ForgeBacklog writes count harmless usage events of an account, dated now.
func (z *Zone) ForgeBacklog(ctx context.Context, account int64, count int) error {
	return z.site.ForgeBacklog(ctx, account, count)
}

// AddressInOtherZone gives an account an address in a second zone and answers its internal id.
func (z *Zone) AddressInOtherZone(ctx context.Context, account int64, ip string) (int64, error) {
	return z.site.AddressInOtherZone(ctx, account, ip)
}

// SwitchRelease makes the standing zone one of another release of the same line.
func (z *Zone) SwitchRelease(ctx context.Context, name string, knobs release.Knobs) error {
	return z.site.SwitchRelease(ctx, name, knobs)
}

// KeepDeletedRules makes the zone one of a release to come that keeps deleted rules with a removal date.
func (z *Zone) KeepDeletedRules(ctx context.Context) error { return z.site.KeepDeletedRules(ctx) }
