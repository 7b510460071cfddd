package deploy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Options say where and how.
type Options struct {
	Cloud *cloud.Client // of a root administrator
	Plan  Plan
	// DryRun looks, and says what would be done.
	DryRun bool
	// Wait is how long the zone may take to become ready; default 15 minutes.
	Wait time.Duration
	// Show is told each step: what it is and whether it was done, was there, or would be done.
	Show func(step, state string)
}

// States of a step.
const (
	Done   = "done"
	There  = "was there"
	Would  = "would be done"
	Waits  = "waits"
	NoKnob = "unknown to this release"
	Kept   = "left as it is"
)

// Result is what came of it.
type Result struct {
	ZoneID string
	// Changed counts what was done; 0 means that the zone was complete.
	Changed int
	// UsageChanged says that the usage server must be restarted: it reads its settings when it starts.
	UsageChanged bool
	// AtRestart are settings that were changed and that the management server reads when it starts.
	AtRestart []string
}

// deployer carries the ids from step to step. An id is empty in a dry run where the object is not there.
type deployer struct {
	Options
	Result
	physical, pod string
	clusters      map[string]string
}

const defaultWait = 15 * time.Minute

// Deploy sets up the zone and waits until instances can be deployed in it.
func Deploy(ctx context.Context, o Options) (Result, error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.Show == nil {
		o.Show = func(string, string) {}
	}
	d := &deployer{Options: o, clusters: map[string]string{}}
	for _, step := range []func(context.Context) error{
		d.settings, d.zone, d.network, d.providers, d.enableNetwork, d.pods, d.hosts, d.pools, d.publicRange, d.images,
		d.enableZone, d.ready, d.usage,
	} {
		if err := step(ctx); err != nil {
			return d.Result, err
		}
	}
	return d.Result, nil
}

// listed is a list of one kind; nothing where the zone is not there yet (a dry run).
func listed[T identified](ctx context.Context, d *deployer, command string, p cloud.Params) ([]T, error) {
	for _, needed := range []string{"zoneid", "physicalnetworkid", "nspid"} {
		if v, has := p[needed]; has && v == "" {
			return nil, nil
		}
	}
	raw, err := d.Cloud.All(ctx, command, p)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(raw))
	for i, r := range raw {
		if err := json.Unmarshal(r, &all[i]); err != nil {
			return nil, fmt.Errorf("%s: an entry does not have the expected form: %w", command, err)
		}
	}
	return all, nil
}

// ensure is one step: look whether it is there, else do it. There returns the id of what is there, "" if nothing is.
func (d *deployer) ensure(step string, there func() (string, error), do func() (string, error)) (string, error) {
	id, err := there()
	if err != nil {
		return "", fmt.Errorf("%s: %w", step, err)
	}
	if id != "" {
		d.Show(step, There)
		return id, nil
	}
	d.Changed++
	if d.DryRun {
		d.Show(step, Would)
		return "", nil
	}
	id, err = do()
	if err != nil {
		return "", fmt.Errorf("%s: %w", step, err)
	}
	d.Show(step, Done)
	return id, nil
}

// found looks for the entry that fits.
func found[T identified](ctx context.Context, d *deployer, command string, p cloud.Params,
	fits func(T) bool) func() (string, error) {
	return func() (string, error) {
		all, err := listed[T](ctx, d, command, p)
		for _, e := range all {
			if fits(e) {
				return e.id(), nil
			}
		}
		return "", err
	}
}

// call is a synchronous change; the answer's object, or the first of its list, gives the id.
func call[T identified](ctx context.Context, d *deployer, command string, p cloud.Params) func() (string, error) {
	return func() (string, error) {
		var answer map[string]json.RawMessage
		if err := d.Cloud.Call(ctx, command, p, &answer); err != nil {
			return "", err
		}
		return made[T](command, answer)
	}
}

// made is the id of what a create answered: one object, or a list of one (addHost, addCluster) beside its count.
func made[T identified](command string, answer map[string]json.RawMessage) (string, error) {
	for key, v := range answer {
		if key == "count" {
			continue
		}
		var many []T
		var err error
		if bytes.HasPrefix(v, []byte("[")) {
			err = json.Unmarshal(v, &many)
		} else {
			many = make([]T, 1)
			err = json.Unmarshal(v, &many[0])
		}
		if err != nil {
			return "", fmt.Errorf("%s: the answer does not have the expected form: %w", command, err)
		}
		if len(many) > 0 && many[0].id() != "" {
			return many[0].id(), nil
		}
	}
	return "", fmt.Errorf("%s: the answer names no object", command)
}

// job is an asynchronous change.
func job[T identified](ctx context.Context, d *deployer, command string, p cloud.Params) func() (string, error) {
	return func() (string, error) {
		pending, err := d.Cloud.Start(ctx, command, p, nil)
		if err != nil {
			return "", err
		}
		var made T
		if _, err := pending.Wait(ctx, &made); err != nil {
			return "", err
		}
		return cmp.Or(made.id(), pending.ID), nil
	}
}

func named[T interface{ title() string }](name string) func(T) bool {
	return func(e T) bool { return e.title() == name }
}

// settings sets what differs. A setting that the release does not know is skipped: advanced.cfg has some of other
// releases.
func (d *deployer) settings(ctx context.Context) error {
	return d.configure(ctx, d.Plan.Settings, func(s setting) {
		if !s.IsDynamic {
			d.AtRestart = append(d.AtRestart, s.Name)
		}
	})
}

// usage comes last: the usage server is restarted once all of it is set.
func (d *deployer) usage(ctx context.Context) error {
	return d.configure(ctx, d.Plan.Usage, func(setting) { d.UsageChanged = true })
}

func (d *deployer) configure(ctx context.Context, settings []Setting, changed func(setting)) error {
	for _, s := range settings {
		step := "setting " + s.Name + " = " + s.Value
		all, err := listed[setting](ctx, d, "listConfigurations", cloud.Params{"name": s.Name})
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		i := slices.IndexFunc(all, named[setting](s.Name))
		if i < 0 {
			d.Show(step, NoKnob)
			continue
		}
		_, err = d.ensure(step, func() (string, error) { return one(all[i].Value == s.Value, s.Name), nil },
			func() (string, error) {
				changed(all[i])
				return s.Name, d.Cloud.Call(ctx, "updateConfiguration", cloud.Params{"name": s.Name, "value": s.Value},
					nil)
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// ready waits for the system VMs and a user template.
func (d *deployer) ready(ctx context.Context) error {
	if d.DryRun {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.Wait)
	defer cancel()
	pause := 50 * time.Millisecond
	state := There
	for last := ""; ; pause = min(2*pause, 5*time.Second) {
		missing, err := d.missing(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("waiting for the zone: %w", err)
		}
		if err == nil && len(missing) == 0 {
			d.Show("system VMs and template", state)
			return nil
		}
		state = Done
		if now := strings.Join(missing, ", "); now != last && now != "" {
			last = now
			d.Show(now, Waits)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the zone did not become ready within %s: %s: see the management server's log", d.Wait,
				last)
		}
	}
}

func (d *deployer) missing(ctx context.Context) ([]string, error) {
	var missing []string
	vms, err := listed[systemVM](ctx, d, "listSystemVms", cloud.Params{"zoneid": d.ZoneID})
	if err != nil {
		return nil, err
	}
	running := 0
	for _, vm := range vms {
		if vm.State == "Running" {
			running++
		}
	}
	if running < 2 {
		missing = append(missing, fmt.Sprintf("%d of 2 system VMs run", running))
	}
	templates, err := listed[template](ctx, d, "listTemplates", cloud.Params{"templatefilter": "all",
		"zoneid": d.ZoneID})
	if err != nil {
		return nil, err
	}
	for _, t := range templates {
		if t.IsReady && t.TemplateType != "SYSTEM" && t.TemplateType != "ROUTING" {
			return missing, nil
		}
	}
	return append(missing, "no user template is ready"), nil
}
