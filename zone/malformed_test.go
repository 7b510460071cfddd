package zone

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// alarms keeps what is logged as an error: a panic that was caught is one.
type alarms struct {
	mu    sync.Mutex
	lines []string
}

func (a *alarms) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (a *alarms) Handle(_ context.Context, r slog.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	line := r.Message
	r.Attrs(func(at slog.Attr) bool { line += " " + at.String(); return true })
	a.lines = append(a.lines, line)
	return nil
}

func (a *alarms) WithAttrs([]slog.Attr) slog.Handler { return a }

func (a *alarms) WithGroup(string) slog.Handler { return a }

// populated is a zone that has one of everything, so that malformed calls meet real objects.
func populated(t testing.TB, alarm slog.Handler) (*Zone, map[string]string) {
	t.Helper()
	z, err := Open(t.Context(), Options{Release: "4.20.1.0", DB: testDatabase(t, "4.20.1.0"),
		Clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)),
		Log:   slog.New(alarm), ManagementLog: io.Discard, Seed: 3})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, z.Close(context.Background())) })
	ids := map[string]string{"zone": z.net.Site.UUID, "template": z.net.Site.VMImage.UUID,
		"serviceoffering": z.net.ServiceOfferings[0].UUID,
		"domain":          z.tenancy.Domains.All()[0].UUID, "account": z.tenancy.Admin.Account.UUID,
		"user": z.tenancy.Admin.UUID,
		"host": z.net.Hosts[0].UUID, "diskoffering": z.net.DiskOfferings[0].UUID,
		"networkoffering": z.net.NetworkOfferings[2].UUID, "vpcoffering": z.net.VPCOfferings[0].UUID,
		"counter": z.autoscale.Counters.All()[5].UUID}
	make := func(entity, command string, words ...string) {
		t.Helper()
		p := map[string]string{}
		for i := 0; i+1 < len(words); i += 2 {
			p[words[i]] = words[i+1]
		}
		answer, err := z.Call(t.Context(), z.tenancy.Admin, command, p)
		require.NoError(t, err, command)
		require.NoError(t, z.Jobs(t.Context()))
		if id, ok := answer["id"].(string); ok {
			ids[entity] = id
		}
		if job, ok := answer["jobid"].(string); ok {
			ids["job"] = job
			require.Equal(t, 1, z.kernel.JobByUUID(job).Status, "%s: %v", command, z.kernel.JobByUUID(job).Result)
		}
	}
	make("vpc", "createVPC", "name", "v", "zoneid", ids["zone"], "vpcofferingid", ids["vpcoffering"], "cidr",
		"10.0.0.0/16")
	make("network", "createNetwork", "name", "t", "zoneid", ids["zone"], "networkofferingid", ids["networkoffering"],
		"vpcid", ids["vpc"], "gateway", "10.0.1.1", "netmask", "255.255.255.0")
	ids["network"] = z.net.Networks.All()[0].UUID
	make("vm", "deployVirtualMachine", "zoneid", ids["zone"], "serviceofferingid", ids["serviceoffering"],
		"templateid", ids["template"], "networkids", ids["network"], "name", "m")
	ids["router"], ids["volume"] = z.net.Routers.All()[0].UUID, z.compute.Volumes.All()[0].UUID
	make("address", "associateIpAddress", "vpcid", ids["vpc"])
	make("pfrule", "createPortForwardingRule", "ipaddressid", ids["address"], "privateport", "22", "publicport", "22",
		"protocol", "tcp", "virtualmachineid", ids["vm"], "networkid", ids["network"])
	make("address", "associateIpAddress", "vpcid", ids["vpc"])
	make("lbrule", "createLoadBalancerRule", "publicipid", ids["address"], "networkid", ids["network"], "name", "l",
		"algorithm", "roundrobin", "privateport", "80", "publicport", "80")
	make("", "assignToLoadBalancerRule", "id", ids["lbrule"], "virtualmachineids", ids["vm"])
	make("policy", "createLBStickinessPolicy", "lbruleid", ids["lbrule"], "name", "s", "methodname", "SourceBased")
	return z, ids
}

// TestMalformedCalls: every command refuses, or carries out, whatever it is sent; nothing panics, every refusal is
// CloudStack's.
func TestMalformedCalls(t *testing.T) {
	alarm := &alarms{}
	z, ids := populated(t, alarm)
	hostile := []string{"", " ", "0", "-1", "99999999999999999999", "NaN", "null", "true", "a,b,,c",
		"00000000-0000-0000-0000-000000000000", "' OR 1=1 --",
		"10.0.1.300", "2026-13-45", strings.Repeat("x", 70000), "\u202e\U0001F600", "../../etc/passwd", "%s%d%n"}
	for i := range z.kernel.Commands() {
		cmd := &z.kernel.Commands()[i]
		good := map[string]string{}
		for _, p := range cmd.Params {
			typ, entity, _ := strings.Cut(p.Type, ":")
			switch {
			case entity != "" && ids[entity] != "":
				good[p.Name] = ids[entity]
			case typ == "integer" || typ == "long":
				good[p.Name] = "7"
			case typ == "boolean":
				good[p.Name] = "false"
			case typ == "date":
				good[p.Name] = "2026-11-21"
			case typ == "string" && p.Required:
				good[p.Name] = "word"
			}
		}
		for _, p := range cmd.Params {
			for _, bad := range hostile {
				words := maps.Clone(good)
				words[p.Name] = bad
				words[strings.ToLower(p.Name)+"[0].name"] = bad
				attempt(t, z, cmd.Name, words)
				attempt(t, z, cmd.Name, map[string]string{p.Name: bad, "page": bad, "pagesize": bad})
			}
		}
		attempt(t, z, cmd.Name, nil)
		require.Empty(t, alarm.lines, "after %s", cmd.Name)
	}
	require.NoError(t, z.Advance(t.Context(), 10*time.Minute))
	require.Empty(t, alarm.lines)
}

func attempt(t *testing.T, z *Zone, name string, params map[string]string) {
	t.Helper()
	if params == nil {
		params = map[string]string{}
	}
	_, err := z.Call(t.Context(), z.tenancy.Admin, name, params)
	var refusal *api.Error
	if err != nil {
		require.ErrorAs(t, err, &refusal, "%s %v", name, shortened(params))
		require.NotEmpty(t, refusal.Text)
		require.False(t, errors.Is(err, context.Canceled))
	}
	require.NoError(t, z.Jobs(t.Context()))
}

func shortened(params map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range params {
		out[k] = v[:min(len(v), 40)]
	}
	return out
}

func TestUnknownParametersAreLogged(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	var log bytes.Buffer
	b.z.kernel.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.call("listZones", "listall=true", "page=1", "pagesize=2")
	assert.Empty(t, log.String())
	b.call("listZones", "colour=x", "hue[0].key=a")
	assert.Contains(t, log.String(), kernel.UnknownParameters)
	assert.Contains(t, log.String(), `command=listZones parameters="colour hue"`)
}

var update = flag.Bool("update", false, "write the golden files")

// parametersOf are those that the Go client knows of a list command; nil for a command that it does not know.
func parametersOf(command string) []string {
	client := reflect.ValueOf(cloudstack.NewClient("http://x", "", "", false)).Elem()
	for i := range client.NumField() {
		service := client.Field(i)
		if service.Kind() != reflect.Interface || service.IsNil() {
			continue
		}
		method := service.Elem().MethodByName("New" + strings.ToUpper(command[:1]) + command[1:] + "Params")
		if !method.IsValid() {
			continue
		}
		params := method.Type().Out(0)
		var names []string
		for m := range params.NumMethod() {
			if name, setter := strings.CutPrefix(params.Method(m).Name, "Set"); setter {
				names = append(names, strings.ToLower(name))
			}
		}
		return names
	}
	return nil
}

// harmless are parameters of list commands that change how much is told of an object, and not which are listed, and
// those that all list commands take.
var harmless = []string{"account", "domainid", "isrecursive", "showicon", "showunique", "showresourceicon", "details",
	"retrieveonlyresourcecount", "fordisplay", "accumulate", "fetchlatest", "showcapacities", "showremoved",
	"showuserdata", "viewmode", "projectid", "listall", "page", "pagesize", "keyword"}

// TestFiltersThatTheLabLacks: every filter of a list command that a server has and the lab does not is in the table of
// those that are refused. A filter that is taken and not applied lists everything, which is the worst answer.
func TestFiltersThatTheLabLacks(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	var got strings.Builder
	known := 0
	for _, c := range b.z.kernel.Commands() {
		names := parametersOf(c.Name)
		if !strings.HasPrefix(c.Name, "list") || names == nil {
			continue
		}
		known++
		names = slices.DeleteFunc(names, func(n string) bool {
			own := slices.ContainsFunc(c.Params, func(p kernel.Param) bool { return p.Name == n })
			return own || slices.Contains(harmless, n)
		})
		if slices.Sort(names); len(names) > 0 {
			got.WriteString(c.Name + " " + strings.Join(names, " ") + "\n")
		}
	}
	require.Greater(t, known, 40, "list commands that the Go client knows")
	const file = "kernel/unfiltered.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "go test ./zone -run TestFiltersThatTheLabLacks -update writes it anew")

	all := len(b.call("listVPCOfferings", "colour=blue", "projectid=-1")["vpcoffering"].([]any))
	require.Positive(t, all, "what no server has is only logged")
	one := b.call("listVPCOfferings", "displaytext=redundant vpc offering")["vpcoffering"].([]any)
	assert.Len(t, one, 1, "a filter by a field of the answer")
	e := b.refused("listVPCOfferings", "supportedservices=Lb")
	assert.Contains(t, e.Text, "supportedservices", "a filter that cannot be applied")
	assert.Equal(t, 431, e.Code)
}
