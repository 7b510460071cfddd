package cleanup_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
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
