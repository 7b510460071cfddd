package cloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// differences compares a recorded value with a decoded one: values that the decoded one has must be equal; unknown
// fields are named.
func differences(path string, want, got any, unknown map[string]bool) []string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: want an object, got %v", path, got)}
		}
		var d []string
		for k, v := range want {
			if _, ok := have[k]; !ok {
				unknown[path+"."+k] = true
				continue
			}
			d = append(d, differences(path+"."+k, v, have[k], unknown)...)
		}
		return d
	case []any:
		have, ok := got.([]any)
		if !ok && len(want) == 0 && got == nil {
			return nil
		}
		if !ok || len(have) != len(want) {
			return []string{fmt.Sprintf("%s: want %d elements, got %v", path, len(want), got)}
		}
		var d []string
		for i := range want {
			d = append(d, differences(path+"[]", want[i], have[i], unknown)...)
		}
		return d
	}
	if fmt.Sprint(want) != fmt.Sprint(got) && !sameNumber(want, got) {
		return []string{fmt.Sprintf("%s: want %v, got %v", path, want, got)}
	}
	return nil
}

func sameNumber(a, b any) bool {
	x, okx := a.(json.Number)
	y, oky := b.(json.Number)
	if !okx || !oky {
		return false
	}
	f, errf := x.Float64()
	g, errg := y.Float64()
	return errf == nil && errg == nil && f == g
}

func generic(t testing.TB, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out any
	require.NoError(t, dec.Decode(&out))
	return out
}

func text(params map[string]any) cloud.Params {
	p := cloud.Params{}
	for k, v := range params {
		p[k] = fmt.Sprint(v)
	}
	return p
}

// lists are the client's list calls. needed are the fields that scenarios and targets read: they must not be among the
// unknown.
var lists = map[string]struct {
	call   func(ctx context.Context, c *cloud.Client, p cloud.Params) (any, error)
	needed string
}{
	"listZones":        {of((*cloud.Client).ListZones), "id name networktype allocationstate"},
	"listVPCOfferings": {of((*cloud.Client).ListVPCOfferings), "id name state isdefault service"},
	"listNetworkOfferings": {of((*cloud.Client).ListNetworkOfferings),
		"id name state forvpc service supportsvmautoscaling"},
	"listServiceOfferings": {of((*cloud.Client).ListServiceOfferings), "id name cpunumber cpuspeed memory"},
	"listTemplates": {func(ctx context.Context, c *cloud.Client, p cloud.Params) (any, error) {
		return c.ListTemplates(ctx, fmt.Sprint(p["templatefilter"]), p)
	}, "id name isready hypervisor zoneid templatetype"},
	"listDomains":        {of((*cloud.Client).ListDomains), "id name path"},
	"listAccounts":       {of((*cloud.Client).ListAccounts), "id name domainid state"},
	"listUsers":          {of((*cloud.Client).ListUsers), "id username accountid"},
	"listResourceLimits": {of((*cloud.Client).ListResourceLimits), "resourcetype resourcetypename max"},
	"listVPCs":           {of((*cloud.Client).ListVPCs), "id name state"},
	"listNetworks":       {of((*cloud.Client).ListNetworks), "id name state vpcid"},
	"listPublicIpAddresses": {of((*cloud.Client).ListPublicIPAddresses),
		"id ipaddress state issourcenat vpcid associatednetworkid"},
	"listVirtualMachines": {of((*cloud.Client).ListVirtualMachines), "id name state nic autoscalevmgroupid"},
	"listLoadBalancerRules": {of((*cloud.Client).ListLoadBalancerRules),
		"id name publicipid publicip publicport privateport algorithm networkid account domainid state " +
			"zoneid protocol"},
	"listLoadBalancerRuleInstances": {func(ctx context.Context, c *cloud.Client, p cloud.Params) (any, error) {
		if p["lbvmips"] == "true" {
			members, err := c.ListLoadBalancerRuleMembers(ctx, fmt.Sprint(p["id"]))
			recorded := []any{} // in the API's own form
			for _, m := range members {
				recorded = append(recorded, map[string]any{"loadbalancerruleinstance": m.VM, "lbvmipaddresses": m.IPs})
			}
			return recorded, err
		}
		return c.ListLoadBalancerRuleInstances(ctx, fmt.Sprint(p["id"]))
	}, "id name state nic loadbalancerruleinstance lbvmipaddresses loadbalancerruleinstance.id"},
	"listPortForwardingRules": {of((*cloud.Client).ListPortForwardingRules),
		"id ipaddressid publicport privateport state virtualmachineid"},
	"listFirewallRules": {of((*cloud.Client).ListFirewallRules),
		"id ipaddressid startport endport state protocol"},
	"listCounters":   {of((*cloud.Client).ListCounters), "id name source value provider"},
	"listConditions": {of((*cloud.Client).ListConditions), "id threshold relationaloperator counterid"},
	"listAutoScalePolicies": {of((*cloud.Client).ListAutoScalePolicies),
		"id name action duration quiettime conditions"},
	"listAutoScaleVmProfiles": {of((*cloud.Client).ListAutoScaleVMProfiles),
		"id zoneid serviceofferingid templateid expungevmgraceperiod"},
	"listAutoScaleVmGroups": {of((*cloud.Client).ListAutoScaleVMGroups),
		"id name lbruleid minmembers maxmembers availablevirtualmachinecount interval state scaleuppolicies " +
			"scaledownpolicies vmprofileid publicip"},
	"listConfigurations": {of((*cloud.Client).ListConfigurations), "name value"},
	"listEvents":         {of((*cloud.Client).ListEvents), "id type level description state created"},
	"listRouters":        {of((*cloud.Client).ListRouters), "id name state vpcid linklocalip publicip"},
}

func of[T any](f func(*cloud.Client, context.Context, cloud.Params) ([]*T, error)) func(context.Context, *cloud.Client,
	cloud.Params) (any, error) {
	return func(ctx context.Context, c *cloud.Client, p cloud.Params) (any, error) { return f(c, ctx, p) }
}

// TestRecordedLists feeds every recorded list answer through the call that a scenario would make, over HTTP, and
// compares what comes out with what was recorded, field by field.
func TestRecordedLists(t *testing.T) {
	seen := map[string]int{}
	for file, exchanges := range recordings(t) {
		for i, e := range exchanges {
			l, ok := lists[e.Command]
			if !ok || e.Status != 200 {
				continue
			}
			seen[e.Command]++
			got, err := l.call(t.Context(), replay(t, e), text(e.Params))
			if !assert.NoError(t, err, "%s exchange %d: %s", file, i, e.Command) {
				continue
			}
			unknown := map[string]bool{}
			d := differences("", recordedList(t, e.Body), generic(t, got), unknown)
			assert.Empty(t, d, "%s exchange %d: %s", file, i, e.Command)
			for _, f := range strings.Fields(l.needed) {
				assert.NotContains(t, unknown, "[]."+f, "%s exchange %d: %s: cloudstack-go drops a field that is read",
					file, i, e.Command)
			}
		}
	}
	for command := range lists {
		require.Positive(t, seen[command], "no recorded answer of %s", command)
	}
}

// recordedList is the one array of a recorded list answer; an empty list has none.
func recordedList(t testing.TB, body json.RawMessage) []any {
	t.Helper()
	for _, inner := range generic(t, body).(map[string]any) {
		fields := inner.(map[string]any)
		keys := make([]string, 0, len(fields))
		for k := range fields {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if list, ok := fields[k].([]any); ok {
				return list
			}
		}
		require.Empty(t, fields)
	}
	return []any{}
}

// TestRecordedStickiness: our own types read what cloudstack-go does not.
func TestRecordedStickiness(t *testing.T) {
	policies, libraryBlind := 0, 0
	for file, exchanges := range recordings(t) {
		for i, e := range exchanges {
			if e.Command != "listLBStickinessPolicies" || e.Status != 200 {
				continue
			}
			name := fmt.Sprintf("%s exchange %d", file, i)
			list := recordedList(t, e.Body)
			require.Len(t, list, 1)
			want := list[0].(map[string]any)["stickinesspolicy"].([]any)
			c := replay(t, e)
			got, err := c.ListStickinessPolicies(t.Context(), fmt.Sprint(e.Params["lbruleid"]))
			require.NoError(t, err, name)
			unknown := map[string]bool{}
			require.Empty(t, differences("", want, generic(t, got), unknown), name)
			require.Empty(t, unknown, name)
			policies += len(got)

			s := c.Library(t.Context(), text(e.Params)).LoadBalancer
			r, err := s.ListLBStickinessPolicies(s.NewListLBStickinessPoliciesParams())
			require.NoError(t, err)
			if r.Count == 1 && len(r.LBStickinessPolicies) == 0 {
				libraryBlind++
			}
		}
	}
	require.Positive(t, policies)
	require.Positive(t, libraryBlind, "cloudstack-go reads stickiness policies now: the package's own types can go")
}

// TestStickinessListWithoutObject: "no object" is not "no policy".
func TestStickinessListWithoutObject(t *testing.T) {
	for _, body := range []string{`{}`, `{"count":1}`, `{"count":1,"lbstickinesspolicy":[{}]}`,
		`{"count":0,"stickinesspolicies":[]}`} {
		e := cloud.Exchange{Command: "listLBStickinessPolicies", Status: 200, Body: json.RawMessage(`{"r":` + body +
			`}`)}
		_, err := replay(t, e).ListStickinessPolicies(t.Context(), "x")
		require.ErrorContains(t, err, "want one stickinesspolicies object")
	}
}

// TestRecordedUsage: types and records of both date forms.
func TestRecordedUsage(t *testing.T) {
	types, records := 0, 0
	for file, exchanges := range recordings(t) {
		for i, e := range exchanges {
			name := fmt.Sprintf("%s exchange %d", file, i)
			switch {
			case e.Status != 200:
			case e.Command == "listUsageTypes":
				got, err := replay(t, e).ListUsageTypes(t.Context())
				require.NoError(t, err, name)
				require.Len(t, got, len(recordedList(t, e.Body)), name)
				lb := slices.IndexFunc(got, func(u cloud.UsageType) bool { return u.ID == 11 })
				require.GreaterOrEqual(t, lb, 0, name)
				require.Equal(t, "Load Balancer Usage", got[lb].Description, name)
				types++
			case e.Command == "listUsageRecords":
				day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
				p := text(e.Params)
				delete(p, "startdate")
				delete(p, "enddate")
				got, err := replay(t, e).ListUsageRecords(t.Context(), day, day.AddDate(0, 0, 1), p)
				require.NoError(t, err, name)
				want := recordedList(t, e.Body)
				unknown := map[string]bool{}
				require.Empty(t, differences("", want, generic(t, got), unknown), name)
				for _, f := range strings.Fields("description usagetype rawusage usageid startdate enddate account") {
					require.NotContains(t, unknown, "[]."+f, name)
				}
				for _, r := range got {
					require.Equal(t, 2026, r.Start.Year())
					require.Positive(t, r.End.Sub(r.Start), "%s: %s to %s", name, r.Startdate, r.Enddate)
					require.InDelta(t, r.Raw, mustFloat(t, r.Rawusage), 1e-9)
				}
				records += len(got)
			}
		}
	}
	require.Positive(t, types)
	require.Positive(t, records)
}

func mustFloat(t testing.TB, s string) float64 {
	t.Helper()
	f, err := json.Number(s).Float64()
	require.NoError(t, err)
	return f
}

func TestUsageTime(t *testing.T) {
	want := time.Date(2026, 11, 21, 23, 27, 26, 0, time.UTC)
	for _, s := range []string{"2026-11-21'T'23:27:26+00:00", "2026-11-21T23:27:26+0000", "2026-11-21'T'18:27:26-05:00",
		"2026-11-22T00:27:26+0100"} {
		got, err := cloud.UsageTime(s)
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%s is %s", s, got)
	}
	_, err := cloud.UsageTime("yesterday")
	require.ErrorContains(t, err, `"yesterday"`)
}

// TestRecordedMocks: the object key of the simulator's answers is "null".
func TestRecordedMocks(t *testing.T) {
	seen := 0
	for file, exchanges := range recordings(t) {
		for i, e := range exchanges {
			var m *cloud.SimulatorMock
			var err error
			switch e.Command {
			case "configureSimulator":
				m, err = replay(t, e).ConfigureSimulator(t.Context(), "z", "LoadBalancerConfigCommand", "wait:0", 5)
			case "querySimulatorMock":
				m, err = replay(t, e).QuerySimulatorMock(t.Context(), 2)
			case "cleanupSimulatorMock":
				require.NoError(t, replay(t, e).CleanupSimulatorMock(t.Context(), 2))
				continue
			default:
				continue
			}
			require.NoError(t, err, "%s exchange %d", file, i)
			require.Empty(t, differences("", below(t, e.Body)["null"], generic(t, m), map[string]bool{}))
			require.Equal(t, "LoadBalancerConfigCommand", m.Name)
			seen++
		}
	}
	require.Positive(t, seen)
}

// TestPages: a list that the server cut to its page size comes whole.
func TestPages(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, n int, v url.Values) {
		if want := []string{"", "2", "3"}[n]; v.Get("page") != want || n > 0 && v.Get("pagesize") != "2" {
			answerJSON(w, 431, `{"r":{"errorcode":431,"errortext":"page"}}`)
			return
		}
		answerJSON(w, 200, fmt.Sprintf(`{"r":{"count":5,"zone":[{"id":"%d"}%s]}}`, 2*n,
			map[bool]string{true: fmt.Sprintf(`,{"id":"%d"}`, 2*n+1)}[n < 2]))
	})
	zones, err := client(t, s).ListZones(t.Context(), nil)
	require.NoError(t, err)
	var ids []string
	for _, z := range zones {
		ids = append(ids, z.Id)
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, ids)
}

// TestLibraryErrors: what cloudstack-go returns through our transport are our errors, cancellable.
func TestLibraryErrors(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, _ int, _ url.Values) {
		if command == "listZones" {
			answerJSON(w, 200, `{"r":{"count":2,"zones":[{},{}]}}`)
			return
		}
		answerJSON(w, 431, `{"r":{"errorcode":431,"cserrorcode":9999,"errortext":"Invalid parameter id value=x due to incorrect long value format, or entity does not exist"}}`)
	})
	c := client(t, s)
	_, err := c.ListVPCs(t.Context(), cloud.Params{"id": "x"})
	require.True(t, cloud.IsNotFound(err), "%v", err)
	require.True(t, strings.HasPrefix(err.Error(), "listVPCs: refused with 431/9999"), "%v", err)
	require.Equal(t, "true", s.calls[0].Get("listall"))
	_, err = c.ListZones(t.Context(), nil)
	require.ErrorContains(t, err, "counts 2 entries and none was decoded")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.ListVPCs(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
}
