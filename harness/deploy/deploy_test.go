package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/deploy"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// bare is a management server without a zone.
func bare(t *testing.T, release string) (*zone.Zone, *database.Server) {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	z, err := zone.Open(t.Context(), zone.Options{Release: release, DB: server, Bare: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, z.Close(context.Background())) })
	return z, server
}

func client(t *testing.T, z *zone.Zone, base string) *cloud.Client {
	t.Helper()
	c, err := cloud.New(cloud.Options{URL: base, APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return c
}

// steps gathers what was shown, by state.
type steps map[string][]string

func (s steps) show(step, state string) { s[state] = append(s[state], step) }

func TestDeployFromNothingThenNothingMore(t *testing.T) {
	z, server := bare(t, "4.20.1.0")
	c := client(t, z, z.APIURL())
	seen := steps{}
	result, err := deploy.Deploy(t.Context(), deploy.Options{Cloud: c, Plan: deploy.Default(), DryRun: true,
		Show: seen.show})
	require.NoError(t, err)
	wanted := result.Changed
	assert.Positive(t, wanted)
	assert.Empty(t, seen[deploy.Done], "a dry run does nothing")
	zones, err := c.ListZones(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, zones)

	seen = steps{}
	result, err = deploy.Deploy(t.Context(), deploy.Options{Cloud: c, Plan: deploy.Default(), Show: seen.show})
	require.NoError(t, err)
	assert.Equal(t, wanted, result.Changed, "the dry run names as many steps as are then done")
	assert.True(t, result.UsageChanged)
	assert.Contains(t, result.AtRestart, "expunge.delay")
	assert.NotContains(t, result.AtRestart, "usage.stats.job.aggregation.range", "the usage server's")
	assert.Contains(t, seen[deploy.Done], "zone enabled")
	assert.Contains(t, seen[deploy.NoKnob], "setting expunge.workers = 3",
		"a setting that the release does not have is skipped")
	usable(t, c, result.ZoneID)
	db, err := server.OpenReadOnly(t.Context())
	require.NoError(t, err)
	defer db.Close()
	var minutes string
	require.NoError(t, db.QueryRow("SELECT value FROM cloud.configuration WHERE "+
		"name='usage.stats.job.aggregation.range'").Scan(&minutes))
	assert.Equal(t, "1", minutes)

	seen = steps{}
	result, err = deploy.Deploy(t.Context(), deploy.Options{Cloud: c, Plan: deploy.Default(), Show: seen.show})
	require.NoError(t, err)
	assert.Zero(t, result.Changed, seen)
	assert.False(t, result.UsageChanged)
	assert.Empty(t, result.AtRestart)
	assert.Empty(t, seen[deploy.Done])
	assert.Contains(t, seen[deploy.There], "system VMs and template")
}

// usable makes sure that an instance runs in the zone behind a load balancer's address.
func usable(t *testing.T, c *cloud.Client, zoneID string) {
	t.Helper()
	ctx := t.Context()
	one := func(command, key string, p cloud.Params) string {
		raw, err := c.All(ctx, command, p)
		require.NoError(t, err)
		require.NotEmpty(t, raw, command)
		var id string
		for _, r := range raw {
			if strings.Contains(string(r), fmt.Sprintf("%q", key)) {
				_, rest, _ := strings.Cut(string(r), `"id":"`)
				id, _, _ = strings.Cut(rest, `"`)
			}
		}
		require.NotEmpty(t, id, "%s %s", command, key)
		return id
	}
	vpc, err := c.CreateVPC(ctx, cloud.VPCSpec{Name: "v", ZoneID: zoneID, OfferingID: one("listVPCOfferings",
		"Default VPC offering", nil), CIDR: "10.9.0.0/16"})
	require.NoError(t, err)
	_, err = vpc.Wait(ctx)
	require.NoError(t, err)
	tier, err := c.CreateNetwork(ctx, cloud.NetworkSpec{Name: "t", ZoneID: zoneID, VPCID: vpc.ID, Gateway: "10.9.1.1",
		Netmask:    "255.255.255.0",
		OfferingID: one("listNetworkOfferings", "DefaultIsolatedNetworkOfferingForVpcNetworks", nil)})
	require.NoError(t, err)
	vm, err := c.DeployVirtualMachine(ctx, cloud.VirtualMachineSpec{Name: "m", ZoneID: zoneID,
		NetworkIDs:        []string{tier.Id},
		ServiceOfferingID: one("listServiceOfferings", "Small Instance", nil), TemplateID: one("listTemplates",
			"BUILTIN", cloud.Params{"templatefilter": "all"})})
	require.NoError(t, err)
	running, err := vm.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, "Running", running.State)
	ip, err := c.AssociateIPAddress(ctx, zoneID, vpc.ID, "", cloud.Owner{})
	require.NoError(t, err)
	_, err = ip.Wait(ctx)
	require.NoError(t, err)
}

// cut is a server in front of the zone that dies after a number of changes.
type cut struct {
	to   *httputil.ReverseProxy
	mu   sync.Mutex
	left int
	died func() // whoever deploys ends with it
}

func (p *cut) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		p.mu.Lock()
		p.left--
		dead, died := p.left < 0, p.died
		p.mu.Unlock()
		if dead {
			died()
			http.Error(w, "<html>gone</html>", http.StatusBadGateway)
			return
		}
	}
	p.to.ServeHTTP(w, r)
}

// A deployment that was cut off after any number of its changes goes on where it stopped.
func TestDeployGoesOnAfterAnyCut(t *testing.T) {
	z, _ := bare(t, "4.19.1.0")
	target, err := url.Parse(z.APIURL())
	require.NoError(t, err)
	proxy := &cut{to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: target.Host})
		r.Out.URL.Path = target.Path
	}}}
	front := httptest.NewServer(proxy)
	defer front.Close()
	c := client(t, z, front.URL+target.Path)
	cuts := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		proxy.mu.Lock()
		proxy.left, proxy.died = 1, cancel // one change a deployment
		proxy.mu.Unlock()
		_, err := deploy.Deploy(ctx, deploy.Options{Cloud: c, Plan: deploy.Default()})
		cancel()
		if err == nil {
			break
		}
		var unknown *cloud.OutcomeUnknown
		require.ErrorAs(t, err, &unknown)
		cuts++
		require.Less(t, cuts, 100, "it never ends")
	}
	assert.GreaterOrEqual(t, cuts, 30, "each change is one cut")
	proxy.mu.Lock()
	proxy.left = 1000
	proxy.mu.Unlock()
	zones, err := c.ListZones(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, zones, 1)
	usable(t, c, zones[0].Id)
	hosts, err := c.All(t.Context(), "listHosts", nil)
	require.NoError(t, err)
	assert.Len(t, hosts, 4, "no host twice")
	var list struct {
		Capacity []struct{ CapacityTotal int64 }
	}
	require.NoError(t, c.Call(t.Context(), "listCapacity", cloud.Params{"zoneid": zones[0].Id, "type": 0}, &list))
	require.Len(t, list.Capacity, 1)
	assert.EqualValues(t, 4*64<<30, list.Capacity[0].CapacityTotal, "the hosts are as large as their URLs say")
}

func TestARefusalNamesTheStep(t *testing.T) {
	z, _ := bare(t, "4.20.1.0")
	plan := deploy.Default()
	plan.Zone = "Other"
	_, err := deploy.Deploy(t.Context(), deploy.Options{Cloud: client(t, z, z.APIURL()), Plan: plan})
	require.ErrorContains(t, err, "zone Other: createZone: refused with 431")
}
