package existing

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// serve is a server that answers every call alike.
func serve(t *testing.T, kind, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestUserURLIsTriedBeforeItIsTaken: endpoint.url is a setting that nobody may ever have used.
func TestUserURLIsTriedBeforeItIsTaken(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		endpoint, wrong string
	}{
		"an API":   {endpoint: serve(t, "application/json", "{}")},
		"a page":   {serve(t, "text/html", "<html>"), "the answer is not the API's"},
		"nobody":   {gone.URL, "refused"},
		"no value": {"", "endpoint.url is"},
	} {
		t.Run(name, func(t *testing.T) {
			port := serve(t, "application/json",
				fmt.Sprintf(`{"listconfigurationsresponse":{"count":1,"configuration":[{"name":"endpoint.url","value":%q}]}}`, c.endpoint))
			got, err := userURL(t.Context(), cloud.Options{URL: port, Integration: true})
			if c.wrong == "" {
				require.NoError(t, err)
				assert.Equal(t, c.endpoint, got)
				return
			}
			require.ErrorContains(t, err, c.wrong)
			assert.ErrorContains(t, err, "give the API's own address too", "what to do")
		})
	}
}
