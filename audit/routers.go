package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/stackproof/stackproof/router"
)

// RouterPlace is where a virtual router is, as far as the databases tell.
type RouterPlace struct {
	Name      string // r-3-VM
	Host      string // name of its hypervisor host, "" where the schema does not tell
	LinkLocal string // address by which its host reaches it
	PublicIP  string
}

// RouterView is what is seen of a router at one moment, with questions that change nothing.
type RouterView struct {
	Files router.Files
	// Stats is HAProxy's own list of proxies and servers; empty when its admin socket did not answer.
	Stats []router.Stat
	// Silent is why the admin socket did not answer, "" when it did.
	Silent string
	// Tables is how many clients the stick table of a section holds.
	Tables map[string]int64
}

// Routers looks into virtual routers (L4, L6, L7).
type Routers interface {
	View(ctx context.Context, p RouterPlace) (RouterView, error)
}

// Traffic is what was seen of one rule on one router: a baseline for a later audit.
type Traffic struct {
	Rule    int64  `json:"rule"`
	UUID    string `json:"uuid"`
	Name    string `json:"name"`
	Router  string `json:"router"`
	Address string `json:"address"` // public address and port
	// Reachable is "yes" or the reason why a connection failed; "" when nobody tried.
	Reachable string `json:"reachable,omitempty"`
	// Up are the backends that HAProxy sends clients to, Down the others. Both are empty when nobody looked.
	Up   []string `json:"up,omitempty"`
	Down []string `json:"down,omitempty"`
	// Sessions is how many connections each backend has had since HAProxy started.
	Sessions map[string]int64 `json:"sessions,omitempty"`
	// Sticky is the method of the policy that is in force: source, cookie, or "" for none.
	Sticky string `json:"sticky,omitempty"`
	// Clients is how many clients the stick table knows; -1 when there is none.
	Clients int64 `json:"clients"`
}

func (t Traffic) identity() string { return cmp.Or(t.UUID, fmt.Sprint(t.Rule)) + " " + t.Router }

func (t Traffic) String() string {
	return fmt.Sprintf("rule %d %q at %s on %s", t.Rule, t.Name, t.Address, t.Router)
}

// routerLook is one router with the rules that the database gives it.
type routerLook struct {
	place RouterPlace
	pair  string // its VPC or network: routers of one pair serve the same rules
	rules []*balancerRule
	view  RouterView
	err   error
}

// atOnce is how many routers or addresses are looked at at the same time.
const atOnce = 4

// lookAt looks at every running router that serves a public rule.
func (b *balancers) lookAt(ctx context.Context, routers Routers) ([]*routerLook, error) {
	places, err := b.places(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]*routerLook{}
	for _, r := range b.sorted() {
		if r.scheme != "" && !strings.EqualFold(r.scheme, "Public") {
			continue
		}
		for _, name := range b.place(r) {
			place, running := places[name]
			if !running {
				continue
			}
			if byName[name] == nil {
				byName[name] = &routerLook{place: place, pair: r.served()}
			}
			byName[name].rules = append(byName[name].rules, r)
		}
	}
	var looks []*routerLook
	for _, name := range sortedKeys(byName) {
		looks = append(looks, byName[name])
	}
	each(looks, func(l *routerLook) { l.view, l.err = routers.View(ctx, l.place) })
	return looks, context.Cause(ctx)
}

// each calls do for every entry, some at once.
func each[T any](all []T, do func(T)) {
	var work sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, one := range all {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			do(one)
		})
	}
	work.Wait()
}

// served names the VPC or the network of a rule.
func (b *balancerRule) served() string {
	if b.vpc != 0 {
		return fmt.Sprintf("VPC %d", b.vpc)
	}
	return fmt.Sprintf("network %d", b.network)
}

// places finds the running routers.
func (b *balancers) places(ctx context.Context) (map[string]RouterPlace, error) {
	c := b.cloud
	all := map[string]RouterPlace{}
	if !c.has("domain_router", "id") || !c.has("vm_instance", "id", "instance_name", "state", "removed") {
		return all, nil
	}
	host := "''"
	if c.has("vm_instance", "host_id") && c.has("host", "id", "name") {
		host = "COALESCE((SELECT h.name FROM cloud.host h WHERE h.id = t.host_id), '')"
	}
	public := "''"
	if c.has("domain_router", "public_ip_address") {
		public = "COALESCE((SELECT d.public_ip_address FROM cloud.domain_router d WHERE d.id = t.id), '')"
	}
	columns := []string{
		c.either("vm_instance", "private_ip_address", "COALESCE(private_ip_address, '')", "''"),
		public, "instance_name", host,
	}
	const where = "removed IS NULL AND state = 'Running' AND id IN (SELECT d.id FROM cloud.domain_router d)"
	return all, c.scan(ctx, "vm_instance", columns, where, func(_ int64, f *fields) error {
		p := RouterPlace{LinkLocal: string(f.text()), PublicIP: string(f.text()), Name: string(f.text())}
		p.Host = string(f.text())
		all[p.Name] = p
		return nil
	})
}

// readAddresses finds where each rule listens and what its members are.
func (b *balancers) readAddresses(ctx context.Context) error {
	c := b.cloud
	if !c.has("firewall_rules", "ip_address_id") || !c.has("user_ip_address", "id", "public_ip_address") {
		b.unread = append(b.unread, "cloud.user_ip_address")
		return nil
	}
	const address = "COALESCE((SELECT a.public_ip_address FROM cloud.user_ip_address a WHERE a.id = " +
		"t.ip_address_id), '')"
	err := c.scan(ctx, "firewall_rules", []string{address}, b.notRemoved("firewall_rules", "purpose = 'LoadBalancing'"),
		func(id int64, f *fields) error {
			if r := b.rules[id]; r != nil {
				r.address = string(f.text())
			}
			return nil
		})
	if err != nil || !c.has("load_balancing_rules", "default_port_start") ||
		!c.has("load_balancer_vm_map", "id", "load_balancer_id", "instance_id", "revoke") {
		return err
	}
	err = c.scan(ctx, "load_balancing_rules", []string{number("default_port_start")}, "",
		func(id int64, f *fields) error {
			if port := f.int(); b.rules[id] != nil {
				b.rules[id].port = port
			}
			return nil
		})
	if err != nil {
		return err
	}
	member := "''"
	if c.has("nics", "instance_id", "network_id", "ip4_address", "removed") {
		member = "COALESCE((SELECT MIN(n.ip4_address) FROM cloud.nics n JOIN cloud.firewall_rules r ON r.id = " +
			"t.load_balancer_id AND n.network_id = r.network_id WHERE n.instance_id = t.instance_id AND n.removed " +
			"IS NULL), '')"
	}
	if c.has("load_balancer_vm_map", "instance_ip") {
		member = "COALESCE(t.instance_ip, " + member + ")"
	}
	where := b.notRemoved("load_balancer_vm_map", "`revoke` = 0")
	return c.scan(ctx, "load_balancer_vm_map", []string{"load_balancer_id", member}, where,
		func(_ int64, f *fields) error {
			r, ip := b.rules[f.int()], string(f.text())
			switch {
			case r == nil:
			case ip == "":
				r.memberUnknown = true
			default:
				r.members = append(r.members, net.JoinHostPort(ip, fmt.Sprint(r.port)))
			}
			return nil
		})
}

// listensAt is the public address and port.
func (b *balancerRule) listensAt() string { return net.JoinHostPort(b.address, fmt.Sprint(b.start)) }

// sectionAt finds the listen section of an address and port.
func sectionAt(listens map[string]router.Section, address string) (router.Section, bool) {
	for _, s := range listens {
		if bind, _, _ := strings.Cut(s.Bind(), " "); bind == address {
			return s, true
		}
	}
	return router.Section{}, false
}

// rulesOnly are the sections that are rules: the others show statistics.
func rulesOnly(file []byte) map[string]router.Section {
	all := router.Listens(file)
	maps.DeleteFunc(all, func(_ string, s router.Section) bool { return s.Statistics() })
	return all
}

// stickyWord says by what a section pins clients.
func stickyWord(s router.Section) string {
	switch {
	case s.Sticky():
		return "source"
	case s.Cookie() != "":
		return "cookie"
	}
	return ""
}

// traffic is the baseline of one rule.
func (l *routerLook) traffic(r *balancerRule, s router.Section) Traffic {
	t := Traffic{Rule: r.id, UUID: r.uuid, Name: r.name, Router: l.place.Name, Address: r.listensAt(),
		Sticky: stickyWord(s), Clients: -1}
	if used, known := l.view.Tables[s.Name]; known {
		t.Clients = used
	}
	for _, stat := range l.view.Stats {
		if stat.Proxy != s.Name || stat.Name == "FRONTEND" || stat.Name == "BACKEND" {
			continue
		}
		if t.Sessions == nil {
			t.Sessions = map[string]int64{}
		}
		t.Sessions[stat.Name] = stat.Sessions
		if strings.HasPrefix(stat.Status, "UP") || stat.Status == "no check" {
			t.Up = append(t.Up, stat.Name)
		} else {
			t.Down = append(t.Down, stat.Name)
		}
	}
	slices.Sort(t.Up)
	slices.Sort(t.Down)
	return t
}
