package zone

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// BenchmarkOpen is a pristine zone, opened and closed, on a database server that runs.
func BenchmarkOpen(b *testing.B) {
	db := testDatabase(b, "4.20.1.0")
	for b.Loop() {
		z, err := Open(b.Context(), Options{Release: "4.20.1.0", DB: db, Clock: kernel.NewManual(time.Now())})
		require.NoError(b, err)
		require.NoError(b, z.Close(context.Background()))
	}
}

// BenchmarkSignedCall is one signed call over HTTP, end to end: a list of what there is, and a create with its job.
func BenchmarkSignedCall(b *testing.B) {
	z, err := Open(b.Context(), Options{Release: "4.20.1.0", DB: testDatabase(b, "4.20.1.0"),
		Clock: kernel.NewManual(time.Now())})
	require.NoError(b, err)
	defer func() { require.NoError(b, z.Close(context.Background())) }()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	get := func(words ...string) {
		p := api.Params{"response": "json", "apikey": z.APIKey()}
		for i := 0; i+1 < len(words); i += 2 {
			p[words[i]] = words[i+1]
		}
		p["signature"] = api.Sign(p, z.SecretKey())
		form := url.Values{}
		for k, v := range p {
			form.Set(k, v)
		}
		resp, err := client.Get(z.APIURL() + "?" + form.Encode())
		require.NoError(b, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, resp.StatusCode, "%s", text)
		require.NoError(b, resp.Body.Close())
	}
	for _, one := range [][]string{
		{"command", "listZones"}, {"command", "listLoadBalancerRules", "listall", "true"},
		{"command", "createVPC", "name", "v", "zoneid", z.net.Site.UUID, "vpcofferingid", z.net.VPCOfferings[0].UUID,
			"start", "false"},
	} {
		b.Run(one[1], func(b *testing.B) {
			for b.Loop() {
				get(one...)
			}
		})
	}
}

// BenchmarkInsert is one mirrored row.
func BenchmarkInsert(b *testing.B) {
	z, err := Open(b.Context(), Options{Release: "4.20.1.0", DB: testDatabase(b, "4.20.1.0"),
		Clock: kernel.NewManual(time.Now())})
	require.NoError(b, err)
	defer func() { require.NoError(b, z.Close(context.Background())) }()
	for b.Loop() {
		require.NoError(b, z.kernel.UsageEvent(b.Context(), "LB.CREATE", z.tenancy.Admin.Account, kernel.ZoneID, 1,
			nil))
	}
}

// BenchmarkFiftyGroups is story B's site: 50 rules with groups of two members on one router, a policy on each.
func BenchmarkFiftyGroups(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		t := &bench{TB: b, clock: kernel.NewManual(time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))}
		t.open("4.19.1.0", nil)
		site := t.vpcSite(0)
		a := t.address(site.vpc)
		b.StartTimer()
		for i := range 50 {
			t.group(t.rule(a, site.tier, fmt.Sprintf("r%d", i), 20000+i), 2)
		}
		t.advance(11 * time.Second)
		for _, r := range t.call("listLoadBalancerRules")["loadbalancerrule"].([]any) {
			t.job("createLBStickinessPolicy", "lbruleid="+r.(obj)["id"].(string), "name=s", "methodname=SourceBased")
		}
		assert.Equal(b, 100+50, len(t.taken()), "members and policies; a group on a tier without a router pushes "+
			"nothing")
		b.StopTimer()
		t.shut()
		b.StartTimer()
	}
}
