package realrouter

import (
	"context"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/router"
)

// Open reaches the routers of an existing target as its configuration says (existing.Options.OpenRouters). It tries the
// command on one running router, if there is any.
func Open(ctx context.Context, a existing.RouterAccess) (harness.Routers, finding.Finding, error) {
	var none finding.Finding
	template, err := ParseTemplate(a.Config.Router.Command)
	if err != nil {
		return nil, none, err
	}
	rules, err := router.RulesFor(a.Rules)
	if err != nil {
		return nil, none, fmt.Errorf("router rules: %w: give --router-profile", err)
	}
	o := Options{Template: template, Rules: rules, Place: placeOf(a.Cloud)}
	if a.Pushes != nil {
		o.Pushes = a.Pushes
	}
	switch a.Config.Clients.Mode {
	case "addresses":
		o.Clients, err = FromAddresses(a.Config.Clients.Addresses)
	case "socks5":
		o.Clients, err = FromProxies(a.Config.Clients.Socks5)
	default:
		err = fmt.Errorf("clients: real routers are reached from addresses of this machine or SOCKS5 vantage " +
			"points; set clients.addresses or clients.socks5")
	}
	if err != nil {
		return nil, none, err
	}
	r := New(o)
	return r, r.try(ctx, a.Cloud), nil
}

// placeOf asks the API where a router is.
func placeOf(c *cloud.Client) func(context.Context, string) (Place, error) {
	return func(ctx context.Context, name string) (Place, error) {
		found, err := c.ListRouters(ctx, cloud.Params{"name": name})
		if err != nil {
			return Place{}, fmt.Errorf("finding router %s: %w", name, err)
		}
		for _, r := range found {
			if r.Name == name {
				return Place{Name: name, Host: r.Hostname, LinkLocal: r.Linklocalip, PublicIP: r.Publicip}, nil
			}
		}
		return Place{}, fmt.Errorf("there is no router %s", name)
	}
}

// try looks at the first running router.
func (r *Routers) try(ctx context.Context, c *cloud.Client) finding.Finding {
	f := finding.Finding{Capability: harness.RouterFiles, State: finding.OK}
	found, err := c.ListRouters(ctx, cloud.Params{"state": "Running"})
	if err != nil {
		f.State, f.Evidence = finding.Broken, err.Error()
		return f
	}
	if len(found) == 0 {
		f.Evidence = "real routers by command; none runs yet, so it could not be tried; " + r.o.Clients.About
		return f
	}
	files, err := r.Files(ctx, found[0].Name)
	if err != nil {
		f.State, f.Evidence = finding.Broken, err.Error()
		f.Remedy = "try the command by hand: " + strings.Join(r.o.Template.words, " ")
		return f
	}
	f.Evidence = fmt.Sprintf("router %s: haproxy.cfg of %d bytes, %d HAProxy workers; clients: %s", found[0].Name,
		len(files.Live), files.Workers, r.o.Clients.About)
	return f
}
