package objects

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// TestStray: a failure for the whole zone may meet a group of another account that acts by itself. The story's own
// groups, disabled ones and a site that nobody shares are none.
func TestStray(t *testing.T) {
	for name, c := range map[string]struct {
		groups string
		gate   harness.Gate
		want   string
	}{
		"another's":         {`{"account":"other","state":"ENABLED"}`, openGate{}, "1 autoscale groups of other accounts"},
		"the story's own":   {`{"account":"mine","state":"ENABLED"}`, openGate{}, ""},
		"a disabled one":    {`{"account":"other","state":"DISABLED"}`, openGate{}, ""},
		"a site of its own": {`{"account":"other","state":"ENABLED"}`, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, `{"listautoscalevmgroupsresponse":{"count":1,"autoscalevmgroup":[%s]}}`, c.groups)
			}))
			t.Cleanup(server.Close)
			client, err := cloud.New(cloud.Options{URL: server.URL, Integration: true})
			require.NoError(t, err)
			verdict, reason := verdictOf(t, harness.Site{Cloud: client, Gate: c.gate}, func(s *Cast) {
				s.Take(&Account{Name: "mine"})
				why := (&Fault{t: s, name: "push"}).stray()
				assert.Equal(t, c.want == "", why == "", why)
				assert.Contains(t, why, c.want)
				assert.Empty(t, (&Fault{t: s, ended: true}).stray(), "it is over")
				s.Checked(1)
			})
			assert.Equal(t, "pass", string(verdict), reason)
		})
	}
}
