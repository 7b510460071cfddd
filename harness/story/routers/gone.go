package routers

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/router"
)

// asker is a target whose routers' HAProxies answer questions.
type asker interface {
	Admin(ctx context.Context, routerName string) (router.Ask, error)
}

// ending looks at what a story leaves behind.
type ending RouterLooks

// expectProxies expects that HAProxy itself has the proxies and servers of its file, and no others.
func (t ending) expectProxies(name string, files router.Files) {
	a, ok := t.site.Routers.(asker)
	if !ok {
		return
	}
	ask, err := a.Admin(t.ctx, name)
	t.Must(err, "asking HAProxy of router %s", name)
	stats, err := ask.ShowStat(t.ctx)
	t.Must(err, "asking HAProxy of router %s", name)
	var runs, due []string
	for _, s := range stats {
		if s.Name == "FRONTEND" {
			runs = append(runs, s.Proxy)
		} else if s.Server() {
			runs = append(runs, s.Proxy+" "+s.Name)
		}
	}
	for _, s := range router.Sections(files.Live) {
		if s.Kind != "listen" {
			continue
		}
		due = append(due, s.Name)
		for _, server := range s.Servers() {
			due = append(due, s.Name+" "+server.Name)
		}
	}
	slices.Sort(runs)
	slices.Sort(due)
	if !slices.Equal(runs, due) {
		t.Fail(result.ProcessStale, fmt.Sprintf("router %s: HAProxy has other proxies or servers than its file: %s",
			name, strings.Join(unshared(runs, due), ", ")),
			result.Evidence{Kind: result.KindNote, Title: "proxies and servers of HAProxy",
				Text: strings.Join(runs, "\n")})
	}
}

// unshared are the words that are in one list only.
func unshared(runs, due []string) (words []string) {
	for _, w := range runs {
		if !slices.Contains(due, w) {
			words = append(words, w+" (not in the file)")
		}
	}
	for _, w := range due {
		if !slices.Contains(runs, w) {
			words = append(words, w+" (not in HAProxy)")
		}
	}
	return words
}

// expectGone expects that nothing is left at the addresses and ports of the rules that the story deleted: no section in
// a router's file, and where HAProxy runs nobody who takes a connection. It is looked at when a story ends.
func (t ending) expectGone() {
	if t.site.Journal == nil || t.site.Routers == nil || t.ctx.Err() != nil {
		return
	}
	peeker, peeks := t.site.Routers.(filePeeker)
	lender, lends := t.site.Routers.(Connector)
	if !peeks || !lends {
		return
	}
	var dead []*objects.Rule
	for _, r := range t.on.Rules() {
		again := slices.ContainsFunc(t.on.Rules(), func(o *objects.Rule) bool {
			return o.Deleted.IsZero() && o.Endpoint() == r.Endpoint()
		})
		if r.DeletedAlone() && r.Address.IP.IsValid() && !again {
			dead = append(dead, r)
		}
	}
	for _, name := range t.site.Journal.Receivers() {
		left := carried(t.site.Journal.Since(name, 0), dead)
		if len(left) == 0 {
			continue
		}
		files, err := peeker.Peek(t.ctx, name)
		t.Must(err, "reading the files of router %s", name)
		if files.MasterPID == 0 && (files.Attended || !t.runs(name)) {
			continue // the router is stopped, or gone
		}
		// Each from an address of its own: a kernel tells one address only a few times a second that nobody is there.
		clients := t.site.Routers.Clients()
		for i, r := range left {
			t.expectNobody(lender, name, files, r, clients[i%len(clients)])
		}
		if files.MasterPID != 0 && files.Refusal == "" && bytes.Equal(files.Serving, files.Live) {
			t.expectProxies(name, files)
		}
	}
}

// runs says whether the API lists a router, or the VM of an internal balancer, as running: a file outlives its router.
func (t ending) runs(name string) bool {
	routers, err := t.site.Cloud.ListRouters(t.ctx, cloud.Params{"name": name})
	t.Must(err, "listing router %s", name)
	for _, r := range routers {
		if r.Name == name && r.State == "Running" {
			return true
		}
	}
	vms, err := t.site.Cloud.ListBalancerVMs(t.ctx, nil)
	t.Must(err, "listing balancer VMs")
	return slices.ContainsFunc(vms, func(vm *cloud.BalancerVM) bool { return vm.Name == name && vm.State == "Running" })
}

// carried are the rules that any of a router's pushes carried: it can have something left of these.
func carried(pushes []router.Push, rules []*objects.Rule) (some []*objects.Rule) {
	sent := map[string]bool{}
	for _, p := range pushes {
		for _, lb := range p.LoadBalancers {
			sent[lb.UUID] = true
		}
	}
	for _, r := range rules {
		if sent[r.ID] {
			some = append(some, r)
		}
	}
	return some
}

// ExpectNobody expects that nobody answers for the rules of the network that the story deleted.
func (t RouterLooks) ExpectNobody(n *objects.Network) {
	defer t.Step("nobody answers for what was deleted")()
	died := func(r *objects.Rule) bool { return r.Network == n && !r.Deleted.IsZero() }
	if !slices.ContainsFunc(t.on.Rules(), died) {
		t.Inconclusive("no rule of %s was deleted", n.Name)
	}
	if t.site.Journal == nil {
		t.Unsupported("what a router was sent before is not known here")
	}
	t.Checked(1)
	ending(t).expectGone()
}

// expectNobody expects that a router has nothing left of a deleted rule.
func (t ending) expectNobody(lender Connector, name string, files router.Files, r *objects.Rule, from netip.Addr) {
	if _, there := router.Listens(files.Live)[r.Section()]; there {
		t.Fail(result.RouterStale, fmt.Sprintf("%s was deleted at %s, but router %s still has its section %s", r,
			stage.Stamp(r.Deleted), name, r.Section()))
		return
	}
	if files.MasterPID == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.ctx, requestTime)
	defer cancel()
	conn, err := lender.Connect(ctx, name, from, r.Endpoint())
	switch {
	case err == nil:
		_ = conn.Close() // nobody is to be served
		t.Fail(result.StillServed, fmt.Sprintf("%s was deleted at %s, but a connection to %s is still taken", r,
			stage.Stamp(r.Deleted), r.Endpoint()))
	case t.ctx.Err() == nil && ctx.Err() != nil:
		t.Fail(result.StillServed, fmt.Sprintf("%s was deleted at %s, but a connection to %s is not refused: %v", r,
			stage.Stamp(r.Deleted), r.Endpoint(), err))
	}
}
