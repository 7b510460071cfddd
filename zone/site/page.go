package site

import (
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/autoscale"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// startPage is what a browser shows at /: what the zone has, and which commands it knows.
var startPage = template.Must(template.New("start").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>stackproof lab zone, {{.Release}}</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; } summary { cursor: pointer; } dd { margin: 0 0 .2rem 1.5rem; }
</style></head><body>
<main>
<h1>stackproof lab zone</h1>
<p>This is the CloudStack API of a lab zone with the profile of release {{.Release}}. Hypervisors are simulated. The
API is
at <code>/client/api</code>; keys and ready profiles are where the lab was started.</p>
<h2>What the zone has</h2>
<table><thead><tr><th scope="col">Objects</th><th scope="col">Number</th><th scope="col">Names</th></tr></thead><tbody>
{{range .Things}}<tr><th scope="row">{{.Name}}</th><td class="number">{{.Count}}</td><td>{{.Names}}</td></tr>
{{end}}</tbody></table>
<h2>The {{len .Commands}} commands that it knows</h2>
<p>A command that is not here gets the refusal of a server: 401 when it is signed, as for a wrong signature.</p>
{{range .Commands}}<details><summary><code>{{.Name}}</code>{{if .Async}} (asynchronous){{end}}: {{.About}}</summary>
<dl>{{range .Params}}<dt><code>{{.Name}}</code>{{if .Required}},
required{{end}}</dt><dd>{{.About}}</dd>{{end}}</dl></details>
{{end}}</main></body></html>
`))

type thing struct {
	Name  string
	Count int
	Names string
}

type shownCommand struct {
	Name, About string
	Async       bool
	Params      []kernel.Param
}

// shownNames bounds how many names of a kind the start page shows.
const shownNames = 12

// things names the living of a kind.
func things[T any](kind string, all []T, name func(T) (string, bool)) thing {
	var names []string
	for _, one := range all {
		if n, living := name(one); living {
			names = append(names, n)
		}
	}
	shown := strings.Join(names[:min(len(names), shownNames)], ", ")
	if len(names) > shownNames {
		shown += ", …"
	}
	return thing{kind, len(names), shown}
}

// Page writes the start page.
func (mgr *Manager) Page(w io.Writer) error {
	data := struct {
		Release  string
		Things   []thing
		Commands []shownCommand
	}{Release: mgr.Version()}
	mgr.Lock()
	data.Things = mgr.things()
	mgr.Unlock()
	for _, c := range mgr.Kernel.Commands() {
		data.Commands = append(data.Commands, shownCommand{c.Name, c.About, c.Kind != kernel.SyncCommand, c.Params})
	}
	slices.SortFunc(data.Commands, func(a, b shownCommand) int { return strings.Compare(a.Name, b.Name) })
	return startPage.Execute(w, data)
}

func (mgr *Manager) things() []thing {
	return []thing{
		things("Accounts", mgr.tenancy.Accounts.All(), func(a *tenancy.Account) (string, bool) {
			return a.Name, a.Removed.IsZero()
		}),
		things("VPCs", mgr.net.VPCs.All(), func(v *net.VPC) (string, bool) { return v.Name, v.Removed.IsZero() }),
		things("Networks and tiers", mgr.net.Networks.All(), func(n *net.Network) (string, bool) {
			return n.Name, n.Removed.IsZero()
		}),
		things("Public addresses in use", mgr.net.Addresses.All(), func(a *net.Address) (string, bool) {
			return a.IP.String(), a.State != "Free"
		}),
		things("Virtual routers", mgr.net.Routers.All(), func(r *net.Router) (string, bool) { return r.Name, true }),
		things("Instances", mgr.compute.VMs.All(),
			func(vm *compute.VM) (string, bool) { return vm.Name, vm.Removed.IsZero() }),
		things("Load balancer rules", mgr.push.LBRules.All(), func(r *push.Rule) (string, bool) {
			return r.Name, true
		}),
		things("Autoscale groups", mgr.autoscale.Groups.All(), func(g *autoscale.Group) (string, bool) {
			_, name, living := g.Identity()
			return name, living
		}),
		things("Network offerings", mgr.net.NetworkOfferings, offeringName),
		things("VPC offerings", mgr.net.VPCOfferings, offeringName),
		things("Service offerings", mgr.net.ServiceOfferings, offeringName),
		things("Templates", mgr.net.Templates, offeringName),
	}
}

func offeringName(o *net.Offering) (string, bool) { return o.Name, true }
