package faultproxy_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// BenchmarkJob is one asynchronous create, a firewall rule, to its end: by a bare loop of the same HTTP calls, by the
// client, and by a scenario's verb with a ledger on disk. The difference is the harness's overhead per API job.
func BenchmarkJob(b *testing.B) {
	server, err := database.Start(b.Context(), database.Options{Schema: "4.20.1.0"})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		b.Skip(missing)
	}
	require.NoError(b, err)
	defer func() { require.NoError(b, server.Close()) }()
	z, err := zone.Open(b.Context(), zone.Options{Release: "4.20.1.0", DB: server})
	require.NoError(b, err)
	defer func() { require.NoError(b, z.Close(context.Background())) }()
	c, err := cloud.New(cloud.Options{URL: z.APIURL(), APIKey: z.APIKey(), SecretKey: z.SecretKey(), Eager: true})
	require.NoError(b, err)
	defer func() { require.NoError(b, c.Close(context.Background())) }()

	b.Run("bare", func(b *testing.B) {
		inScenario(b, c, nil, func(_ *story.T, a *story.Address) {
			port := 0
			for b.Loop() {
				port++
				bare(b, z.IntegrationURL(), a.ID, port)
			}
		})
	})
	b.Run("client", func(b *testing.B) {
		inScenario(b, c, nil, func(t *story.T, a *story.Address) {
			port := 0
			for b.Loop() {
				port++
				made, err := a.Account.Cloud.CreateFirewallRule(t.Context(), a.ID, "tcp", port, port, "192.0.2.0/24")
				require.NoError(b, err)
				_, err = made.Wait(t.Context())
				require.NoError(b, err)
			}
		})
	})
	b.Run("verb", func(b *testing.B) {
		l, err := ledger.Create(b.TempDir(), "bench", z.APIURL())
		require.NoError(b, err)
		inScenario(b, c, l, func(_ *story.T, a *story.Address) {
			port := 0
			for b.Loop() {
				port++
				a.Firewall(port)
			}
		})
		require.NoError(b, l.Close())
	})
}

// inScenario runs a story on an address of a new account.
func inScenario(b *testing.B, c *cloud.Client, l harness.Ledger, tell func(*story.T, *story.Address)) {
	b.Helper()
	told := false
	_, err := harness.Run(b.Context(), over{c, l}, harness.Plan{Seed: int64(b.N), Workers: 1, Progress: silent{},
		Scenarios: harness.Catalogue{{
			ID: "B-" + b.Name()[len("BenchmarkJob/"):], Run: story.Of(func(t *story.T) {
				tell(t, t.NewAccount().Isolated().Address())
				told = true
			})}}})
	require.NoError(b, err)
	require.True(b, told, "the story was not told to its end")
}

// over is a zone over TCP.
type over struct {
	cloud  *cloud.Client
	ledger harness.Ledger
}

func (o over) Describe() harness.Description {
	return harness.Description{Name: "bench", Release: "4.20.1.0"}
}
func (o over) Close(context.Context) error { return nil }
func (o over) Site(context.Context, string, int64) (*harness.Site, error) {
	return &harness.Site{Description: o.Describe(), Cloud: o.cloud, Ledger: o.ledger}, nil
}

// bare makes the same calls with nothing in between: create, then ask for the job until it has ended.
func bare(b *testing.B, api, address string, port int) {
	var accepted struct {
		R struct{ JobID string } `json:"createfirewallruleresponse"`
	}
	text := func(v any) string { s, _ := json.Marshal(v); return string(s) }
	get(b, api, url.Values{"command": {"createFirewallRule"}, "response": {"json"}, "ipaddressid": {address},
		"protocol":  {"tcp"},
		"startport": {text(port)}, "endport": {text(port)}, "cidrlist": {"192.0.2.0/24"}}, &accepted)
	for {
		var job struct {
			R struct{ JobStatus int } `json:"queryasyncjobresultresponse"`
		}
		get(b, api, url.Values{"command": {"queryAsyncJobResult"}, "response": {"json"}, "jobid": {accepted.R.JobID}},
			&job)
		if job.R.JobStatus != 0 {
			require.Equal(b, 1, job.R.JobStatus)
			return
		}
	}
}

func get(b *testing.B, api string, v url.Values, into any) {
	resp, err := http.Get(api + "?" + v.Encode())
	require.NoError(b, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	require.NoError(b, json.Unmarshal(body, into), string(body))
}
