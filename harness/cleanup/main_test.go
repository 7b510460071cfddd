package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	if os.Getenv("CLEANUP_TEST_API") != "" {
		actor()
	}
	goleak.VerifyTestMain(testhome.Around(m))
}

// site is a zone that stands by itself, as somebody else's would.
type site struct {
	zone *zone.Zone
	db   *database.Server
}

func standing(t *testing.T, release string) site {
	t.Helper()
	server, err := database.Start(t.Context(), database.Options{Schema: release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	z, err := zone.Open(t.Context(), zone.Options{Release: release, DB: server})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, z.Close(context.Background())) })
	return site{z, server}
}

func (s site) client(t *testing.T, url string) *cloud.Client {
	t.Helper()
	c, err := cloud.New(cloud.Options{URL: url, APIKey: s.zone.APIKey(), SecretKey: s.zone.SecretKey(), Eager: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.Background())) })
	return c
}

// actor is a run in a process of its own, which is going to be killed: it creates one of everything, again and again.
func actor() {
	err := act(os.Getenv("CLEANUP_TEST_API"), os.Getenv("CLEANUP_TEST_KEY"), os.Getenv("CLEANUP_TEST_SECRET"),
		os.Getenv("CLEANUP_TEST_LEDGER"))
	fmt.Println("ended:", err)
	os.Exit(3)
}

func act(api, key, secret, dir string) error {
	c, err := cloud.New(cloud.Options{URL: api, APIKey: key, SecretKey: secret, Eager: true})
	if err != nil {
		return err
	}
	l, err := ledger.Create(dir, "standing", api)
	if err != nil {
		return err
	}
	run, err := harness.Run(context.Background(), target{c, l}, harness.Plan{Seed: 1, Repeat: 1000, Workers: 1,
		Progress:  silent{},
		Scenarios: harness.Catalogue{{ID: "K-01", Title: "one of everything", Run: story.Of(everything)}}})
	if err != nil {
		return err
	}
	for _, r := range run.Results {
		fmt.Println(r.ID, r.Verdict, r.Reason)
	}
	return l.Close()
}

func everything(t *story.T) {
	a := t.NewAccount()
	tier := a.VPC().Tier()
	rule := tier.LoadBalancer("A").Assign(tier.VMs(2)...)
	rule.Stick()
	tier.LoadBalancer("B")
	tier.Group("g", 2)
	a.Isolated().Address().Firewall(20000)
	b := t.NewAccount()
	b.Isolated().Address()
}

// target is a zone over TCP with a ledger and nothing else.
type target struct {
	cloud  *cloud.Client
	ledger harness.Ledger
}

func (t target) Describe() harness.Description {
	return harness.Description{Name: "standing", Release: "4.20.1.0"}
}
func (t target) Close(context.Context) error { return nil }
func (t target) Site(context.Context, string, int64) (*harness.Site, error) {
	return &harness.Site{Description: t.Describe(), Cloud: t.cloud, Clock: wall{}, Ledger: t.ledger}, nil
}

type wall struct{}

func (wall) Now(context.Context) (time.Time, error)          { return time.Now().UTC(), nil }
func (wall) Pass(ctx context.Context, d time.Duration) error { return nil }

type silent struct{}

func (silent) Scenario(string, string, int) {}
func (silent) Step(string, string)          {}
func (silent) Finished(result.Case)         {}
