package zone

import (
	"slices"

	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/metering"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/site"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// commands are those of all rooms, in the order of listApis.
func (z *Zone) commands() []kernel.Bound {
	all := slices.Concat(
		kernel.Bind(z.site, site.Commands()), kernel.Bind(z.tenancy, tenancy.Commands()),
		kernel.Bind(z.net, net.Commands()),
		kernel.Bind(z.compute, compute.Commands()), kernel.Bind(z.firewall, firewall.Commands()),
		kernel.Bind(z.lb, lb.Commands()),
		kernel.Bind(z.autoscale, autoscale.Commands()), kernel.Bind(z.metering, metering.Commands()))
	if z.opts.Bare {
		return append(all, kernel.Bind(z.site, site.DeployCommands())...)
	}
	return append(all, kernel.Bind(z.site, site.WholeCommands())...)
}
