package existing

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/config"
)

// TestDomainHasRoom makes more in a run's domain than a domain may have (40; servers whose database was made by an old
// release have no limit), which a default set of scenarios does.
func TestDomainHasRoom(t *testing.T) {
	t.Parallel()
	s := standWith(t, "4.20.1.0", map[string]string{"max.domain.networks": "40"}, nil)
	conf := s.config()
	conf.Log = config.Log{}
	target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, target.Close(context.WithoutCancel(t.Context()))) }()
	site, err := target.Site(t.Context(), "U-01", 1)
	require.NoError(t, err)
	defer func() { assert.NoError(t, site.Close(context.WithoutCancel(t.Context()))) }()
	offerings, err := target.cloud.ListNetworkOfferings(t.Context(),
		cloud.Params{"name": "DefaultIsolatedNetworkOfferingWithSourceNatService"})
	require.NoError(t, err)
	require.Len(t, offerings, 1)
	for i := range 3 {
		name := fmt.Sprint("room", i)
		made, err := target.cloud.CreateAccount(t.Context(), cloud.AccountSpec{Name: name, DomainID: site.DomainID,
			Password: "p", Email: "e@example.invalid"})
		require.NoError(t, err)
		defer func() { assert.NoError(t, target.cloud.DeleteAccount(context.WithoutCancel(t.Context()), made.Id)) }()
		for j := range 14 {
			_, err := target.cloud.CreateNetwork(t.Context(),
				cloud.NetworkSpec{Owner: cloud.Owner{Account: name, DomainID: site.DomainID},
					Name: fmt.Sprint("n", j), ZoneID: target.room.ZoneID, OfferingID: offerings[0].Id})
			require.NoError(t, err, "network %d of account %d", j+1, i+1)
		}
	}
}
