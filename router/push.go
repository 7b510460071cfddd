package router

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/router/logtext"
)

// CommandName is the key under which a management server's log names the command that this package reads.
const CommandName = "com.cloud.agent.api.routing.LoadBalancerConfigCommand"

const aggregationCommand = "com.cloud.agent.api.routing.AggregationControlCommand"

// ErrNotPush says that the input is readable but holds no LoadBalancerConfigCommand.
var ErrNotPush = errors.New("no LoadBalancerConfigCommand in it")

// Push is one LoadBalancerConfigCommand: every public load balancing rule of a router, those being removed included.
// Absent fields have the defaults of LoadBalancerConfigCommand.java@4.20.0.0.
type Push struct {
	LoadBalancers []LoadBalancer

	StatsVisibility string // global, guest-network (default), link-local, all, disabled; anything else: in defaults
	StatsPublicIP   string
	StatsPrivateIP  string
	StatsGuestIP    string
	StatsPort       string // default 8081
	StatsSrcCIDRs   string // default 0/0
	StatsAuth       string // default admin1:AdMiN123
	StatsURI        string // default /admin?stats
	MaxConn         string // a whole number; the class default is empty and cannot be rendered
	// IdleTimeout is in milliseconds, 0 for none; default 50000.
	IdleTimeout   int64
	KeepAlive     bool
	VPCID         string            // internal id, empty on a router without VPC
	AccessDetails map[string]string // router.name, router.ip, router.guest.ip, zone.network.type

	Aggregated bool            // sent between the Start and Finish of an AggregationControlCommand
	Log        LogPosition     // zero unless read from a log
	Raw        json.RawMessage // the command as it was received, without its wrapper and without private keys
}

// Router is the name of the router that the push is for, such as r-3-VM; empty when the push does not say.
func (p Push) Router() string { return p.AccessDetails["router.name"] }

// LoadBalancer is one rule of a push (LoadBalancerTO.java@4.20.0.0).
type LoadBalancer struct {
	UUID         string
	SrcIP        string
	SrcPort      int // 0..65535
	Protocol     string
	LBProtocol   string // tcp, udp, tcp-proxy, ssl or empty
	Algorithm    string // as typed by the user, any case
	Revoked      bool
	AlreadyAdded bool
	Inline       bool
	Destinations []Destination
	Stickiness   []Stickiness // at most one from a real server
	CIDRList     string       // entries separated by blanks; a blank text is no list
	Certificate  *Certificate // nil for none
}

// Name is the rule's section name in haproxy.cfg: the address with underscores, a dash, the port.
func (lb LoadBalancer) Name() string { return poolName(lb.SrcIP, lb.SrcPort) }

// Destination is one backend of a rule.
type Destination struct {
	IP           string
	Port         int // 0..65535
	Revoked      bool
	AlreadyAdded bool
}

// Stickiness is a stickiness policy: its method name in any case (SourceBased, LbCookie, AppCookie) and parameters.
type Stickiness struct {
	Method string
	Params []Param
}

// Param is one stickiness parameter, in the order of the push. Flags count by presence, whatever their value.
type Param struct {
	Name  string
	Value string
	Null  bool // no value was sent; the server's log writes the text "null" instead
}

// ParsePush reads one LoadBalancerConfigCommand: the command's object itself, the object wrapped under its class name,
// or an array of wrapped commands, of which it takes the last LoadBalancerConfigCommand, since on the router the later
// one replaces the former. Scalars may be JSON strings, as a server logs them, or JSON numbers and booleans. An error
// names the field and what is wrong with it; it is ErrNotPush when the input is JSON without such a command.
func ParsePush(data []byte) (Push, error) {
	pushes, err := parsePushes(data)
	if err != nil {
		return Push{}, fmt.Errorf("reading a push: %w", err)
	}
	return pushes[len(pushes)-1], nil
}

// parsePushes gives every push of the input, at least one when there is no error.
func parsePushes(data []byte) ([]Push, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	switch kind := kindOf(whole); kind {
	case "array":
		return parseCommands(whole)
	case "object":
	default:
		return nil, fmt.Errorf("a JSON %s, want an object or an array: %w", kind, ErrNotPush)
	}
	command, err := newObject("", whole)
	if err != nil {
		return nil, err
	}
	if inner, ok := command.fields[CommandName]; ok {
		whole = inner
		if command, err = newObject("", inner); err != nil {
			return nil, fmt.Errorf("%s: %w", CommandName, err)
		}
	}
	p, err := decodePush(command, whole)
	if err != nil {
		return nil, err
	}
	return []Push{p}, nil
}

// parseCommands reads an array of wrapped commands and keeps the pushes.
func parseCommands(data json.RawMessage) ([]Push, error) {
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, fmt.Errorf("an array, but not of commands: %w", err)
	}
	var pushes []Push
	aggregated := false
	for i, item := range items {
		if control, ok := item[aggregationCommand]; ok {
			var c struct{ Action string }
			aggregated = json.Unmarshal(control, &c) == nil && c.Action == "Start"
		}
		inner, ok := item[CommandName]
		if !ok {
			continue
		}
		o, err := newObject("", inner)
		if err != nil {
			return nil, fmt.Errorf("command %d: %w", i, err)
		}
		p, err := decodePush(o, inner)
		if err != nil {
			return nil, fmt.Errorf("command %d: %w", i, err)
		}
		p.Aggregated = aggregated
		pushes = append(pushes, p)
	}
	if len(pushes) == 0 {
		return nil, fmt.Errorf("an array of %d commands: %w", len(items), ErrNotPush)
	}
	return pushes, nil
}

func decodePush(o *object, raw json.RawMessage) (Push, error) {
	if !o.has("loadBalancers") {
		return Push{}, fmt.Errorf("an object without loadBalancers: %w", ErrNotPush)
	}
	p := Push{
		StatsVisibility: o.text("lbStatsVisibility", "guest-network"),
		StatsPublicIP:   o.text("lbStatsPublicIP", ""),
		StatsPrivateIP:  o.text("lbStatsPrivateIP", ""),
		StatsGuestIP:    o.text("lbStatsGuestIP", ""),
		StatsPort:       o.text("lbStatsPort", "8081"),
		StatsSrcCIDRs:   o.text("lbStatsSrcCidrs", "0/0"),
		StatsAuth:       o.text("lbStatsAuth", "admin1:AdMiN123"),
		StatsURI:        o.text("lbStatsUri", "/admin?stats"),
		MaxConn:         o.text("maxconn", ""),
		IdleTimeout:     o.number("idleTimeout", DefaultIdleTimeout),
		KeepAlive:       o.flag("keepAliveEnabled"),
		VPCID:           o.text("vpcId", ""),
		AccessDetails:   o.texts("accessDetails"),
	}
	p.Raw = json.RawMessage(logtext.WithoutKeys(string(raw)))
	for _, item := range o.objects("loadBalancers") {
		p.LoadBalancers = append(p.LoadBalancers, decodeLoadBalancer(item))
	}
	return p, o.err()
}

func decodeLoadBalancer(o *object) LoadBalancer {
	lb := LoadBalancer{
		UUID:         o.text("uuid", ""),
		SrcIP:        o.required("srcIp"),
		SrcPort:      o.port("srcPort"),
		Protocol:     o.text("protocol", ""),
		LBProtocol:   o.text("lbProtocol", ""),
		Algorithm:    o.text("algorithm", ""),
		Revoked:      o.flag("revoked"),
		AlreadyAdded: o.flag("alreadyAdded"),
		Inline:       o.flag("inline"),
		CIDRList:     o.text("cidrList", ""),
	}
	if cert := o.child("sslCert"); cert != nil {
		lb.Certificate = &Certificate{Cert: cert.text("cert", ""), Key: cert.text("key", ""),
			Chain: cert.text("chain", ""), Revoked: cert.flag("revoked"),
			KeyLogged: ShowsPrivateKey(cert.text("key", ""))}
	}
	for _, d := range o.objects("destinations") {
		lb.Destinations = append(lb.Destinations, Destination{
			IP:           d.required("destIp"),
			Port:         d.port("destPort"),
			Revoked:      d.flag("revoked"),
			AlreadyAdded: d.flag("alreadyAdded"),
		})
	}
	for _, s := range o.objects("stickinessPolicies") {
		policy := Stickiness{Method: s.text("methodName", "")}
		for _, pair := range s.objects("params") {
			policy.Params = append(policy.Params, Param{
				Name:  pair.text("t", ""),
				Value: pair.text("u", ""),
				Null:  !pair.has("u"),
			})
		}
		lb.Stickiness = append(lb.Stickiness, policy)
	}
	return lb
}
