package scripts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Item is a file of the management server for its routers that is none of balancing.
type Item struct {
	name string // of the file, without the random word that follows
	body any
}

// ForwardingRule is a rule of a forwarding_rules item (ForwardingRule.java@4.22.0.0). Ports are written first:last.
type ForwardingRule struct {
	Revoke           bool   `json:"revoke"`
	Protocol         string `json:"protocol"`
	SourceIP         string `json:"source_ip_address"`
	SourcePorts      string `json:"source_port_range"`
	DestinationIP    string `json:"destination_ip_address"`
	DestinationPorts string `json:"destination_port_range"`
}

// Forwarding is the item of a SetPortForwardingRulesCommand, which is the same for a VPC's router and an isolated
// network's (SetPortForwardingRulesConfigItem.java@4.22.0.0).
func Forwarding(rules ...ForwardingRule) Item {
	return Item{name: "forwarding_rules.json", body: struct {
		Rules  []ForwardingRule `json:"rules"`
		Type   string           `json:"type"`
		Delete bool             `json:"delete_from_processed_cache"`
	}{Rules: append([]ForwardingRule{}, rules...), Type: "forwardrules"}}
}

// write gives the name and the one line of the file.
func (i Item) write() (name string, content []byte, err error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(i.body); err != nil {
		return "", nil, fmt.Errorf("writing an item file: %w", err)
	}
	return i.name + "." + uuid.NewString(), bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Delivery is what a run of the scripts on an item that is none of balancing did. As of a push, nothing in it is
// concluded from the exit status: Before and After are the kernel's own rules.
type Delivery struct {
	Item     string        `json:"item"`
	At       time.Time     `json:"at"` // end of the run
	Exit     int           `json:"exit"`
	Signal   string        `json:"signal,omitempty"`
	TimedOut bool          `json:"timed_out,omitempty"`
	Stdout   string        `json:"stdout,omitempty"` // the last 8 KiB of each
	Stderr   string        `json:"stderr,omitempty"`
	Log      string        `json:"log,omitempty"`
	Took     time.Duration `json:"took"`
	Calls    []Call        `json:"calls"`
	// Before and After are the rules of iptables, of all tables. Nil where the sandbox has no iptables.
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// Changed tells whether the firewall's rules are others than before.
func (d Delivery) Changed() bool { return !slices.Equal(d.Before, d.After) }

// Refused tells whether the scripts ended at a balancing configuration that they refused before, and what HAProxy said
// of it (configure.py@4.22.0.0, IpTablesExecutor).
func (d Delivery) Refused() (said string, refused bool) {
	if d.Exit == 0 || d.TimedOut {
		return "", false
	}
	return refusal(d.Stderr + d.Log)
}

// Crashed tells whether the scripts ended with a status that is not 0 and refused nothing.
func (d Delivery) Crashed() bool {
	_, refused := d.Refused()
	return !d.TimedOut && !refused && (d.Exit != 0 || d.Signal != "")
}

// Deliver hands the scripts an item that is none of balancing, as the management server does to a running router, and
// reports what they did. The error is as that of Apply.
func (v *VR) Deliver(ctx context.Context, i Item) (Delivery, error) {
	name, content, err := i.write()
	if err != nil {
		return Delivery{}, err
	}
	d, err := v.deliver(ctx, name, v.request(name, content, Direct))
	if err != nil {
		return Delivery{}, fmt.Errorf("delivering %s: %w", name, err)
	}
	return d, nil
}

func (v *VR) deliver(ctx context.Context, name string, order request) (Delivery, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before, err := v.firewall(ctx)
	if err != nil {
		return Delivery{}, err
	}
	begin := time.Now()
	a, err := v.done(ctx, order)
	if err != nil {
		return Delivery{}, err
	}
	took := time.Since(begin)
	seen, err := v.look()
	if err != nil {
		return Delivery{}, err
	}
	v.state.note(a.Calls, a.Before, a.After, seen.live.content) // the balancing part runs, too
	after, err := v.firewall(ctx)
	return Delivery{
		Item: name, At: time.Now(), Exit: a.Exit, Signal: a.Signal, TimedOut: a.TimedOut, Stdout: a.Stdout,
		Stderr: a.Stderr, Log: a.Log, Took: took, Calls: a.Calls, Before: before, After: after,
	}, err
}

// done is exchange for a request whose refusal is an error. The caller holds mu.
func (v *VR) done(ctx context.Context, r request) (answer, error) {
	a, err := v.exchange(ctx, r)
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a, err
}

// rulesPath is where the rules of iptables are written for this program.
const rulesPath = "/run/stackproof-vr.rules"

// Firewall gives the rules of iptables in the sandbox, of all tables; none where it has no iptables.
func (v *VR) Firewall(ctx context.Context) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.firewall(ctx)
}

// firewall has the rules written to a file, since answers keep the end of an output alone. The caller holds mu.
func (v *VR) firewall(ctx context.Context) ([]string, error) {
	const command = "command -v iptables-save >/dev/null || exit 0; exec iptables-save >" + rulesPath
	a, err := v.done(ctx, request{Op: "run", File: rulesPath, Limit: v.options.Limit,
		Args: []string{"/bin/sh", "-c", command}})
	if err == nil && a.Exit != 0 {
		err = errors.New(strings.TrimSpace(a.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("listing the firewall's rules: %w", err)
	}
	text, err := v.read(rulesPath)
	if err != nil {
		return nil, fmt.Errorf("listing the firewall's rules: %w", err)
	}
	return rulesOf(string(text.content)), nil
}

// rulesOf leaves comments and the counters of chains out: they differ between two looks.
func rulesOf(saved string) []string {
	var rules []string
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, ":") {
			line, _, _ = strings.Cut(line, " [")
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			rules = append(rules, line)
		}
	}
	return rules
}
