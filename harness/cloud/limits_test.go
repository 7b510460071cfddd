package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// TestLiftLimits: all eight limits are lifted; a paced client has several under way at once, an eager one has one.
func TestLiftLimits(t *testing.T) {
	for _, eager := range []bool{true, false} {
		var mu sync.Mutex
		both := make(chan struct{})
		under, most, lifted := 0, 0, map[string]bool{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			under++
			if most = max(most, under); under == 2 && len(lifted) == 0 {
				close(both)
			}
			mu.Unlock()
			if !eager {
				<-both // answered once two are under way
			}
			mu.Lock()
			defer mu.Unlock()
			under--
			lifted[r.FormValue("resourcetype")] = r.FormValue("max") == "-1"
			_, _ = w.Write([]byte(`{"updateresourcelimitresponse":{}}`))
		}))
		t.Cleanup(server.Close)
		client, err := cloud.New(cloud.Options{URL: server.URL, APIKey: "k", SecretKey: "s", Eager: eager})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, client.Close(t.Context())) })
		require.NoError(t, client.LiftLimits(t.Context(), "d", "a"))
		assert.Len(t, lifted, 8)
		for typ, endless := range lifted {
			assert.True(t, endless, "resource type %s", typ)
		}
		assert.Equal(t, eager, most == 1, "%d at once, eager: %v", most, eager)
	}
}
