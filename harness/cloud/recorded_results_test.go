package cloud_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// results are the objects in the results of jobs and of synchronous creates. needed as in lists.
var results = map[string]struct {
	object func() any
	needed string
}{
	"createVPC":                {func() any { return &cloud.VPC{} }, "id name state"},
	"createNetwork":            {func() any { return &cloud.Network{} }, "id name state vpcid"},
	"updateNetwork":            {func() any { return &cloud.Network{} }, "id"},
	"deployVirtualMachine":     {func() any { return &cloud.VirtualMachine{} }, "id name state nic"},
	"stopVirtualMachine":       {func() any { return &cloud.VirtualMachine{} }, "id state"},
	"associateIpAddress":       {func() any { return &cloud.PublicIPAddress{} }, "id ipaddress"},
	"createPortForwardingRule": {func() any { return &cloud.PortForwardingRule{} }, "id state publicport"},
	"createFirewallRule":       {func() any { return &cloud.FirewallRule{} }, "id state startport"},
	"createLoadBalancerRule": {func() any { return &cloud.LoadBalancerRule{} },
		"id name publicipid publicport privateport algorithm state"},
	"updateLoadBalancerRule": {func() any { return &cloud.LoadBalancerRule{} }, "id algorithm"},
	"createLBStickinessPolicy": {func() any { return &cloud.StickinessPolicies{} },
		"lbruleid stickinesspolicy stickinesspolicy[].params"},
	"updateLBStickinessPolicy": {func() any { return &cloud.StickinessPolicies{} }, "lbruleid stickinesspolicy"},
	"createCondition":          {func() any { return &cloud.Condition{} }, "id threshold relationaloperator"},
	"createAutoScalePolicy":    {func() any { return &cloud.AutoScalePolicy{} }, "id action duration"},
	"createAutoScaleVmProfile": {func() any { return &cloud.AutoScaleVMProfile{} }, "id templateid"},
	"createAutoScaleVmGroup": {func() any { return &cloud.AutoScaleVMGroup{} },
		"id state minmembers maxmembers lbruleid"},
	"enableAutoScaleVmGroup":     {func() any { return &cloud.AutoScaleVMGroup{} }, "id state"},
	"disableAutoScaleVmGroup":    {func() any { return &cloud.AutoScaleVMGroup{} }, "id state"},
	"updateAutoScaleVmGroup":     {func() any { return &cloud.AutoScaleVMGroup{} }, "id minmembers"},
	"stopRouter":                 {func() any { return &cloud.Router{} }, "id state"},
	"startRouter":                {func() any { return &cloud.Router{} }, "id state"},
	"createDomain":               {func() any { return &cloud.Domain{} }, "id path"},
	"createAccount":              {func() any { return &cloud.Account{} }, "id user"},
	"updateConfiguration":        {func() any { return &cloud.Configuration{} }, "name value"},
	"destroyVirtualMachine":      {func() any { return &map[string]any{} }, ""},
	"deleteLoadBalancerRule":     {func() any { return &cloud.Success{} }, "success"},
	"assignToLoadBalancerRule":   {func() any { return &cloud.Success{} }, "success"},
	"removeFromLoadBalancerRule": {func() any { return &cloud.Success{} }, "success"},
	"deleteLBStickinessPolicy":   {func() any { return &cloud.Success{} }, "success"},
	"deleteAutoScaleVmGroup":     {func() any { return &cloud.Success{} }, "success"},
	"disassociateIpAddress":      {func() any { return &cloud.Success{} }, "success"},
	"deleteNetwork":              {func() any { return &cloud.Success{} }, "success"},
	"deleteVPC":                  {func() any { return &cloud.Success{} }, "success"},
	"restartVPC":                 {func() any { return &cloud.Success{} }, "success"},
	"deleteAccount":              {func() any { return &cloud.Success{} }, "success"},
	"deleteDomain":               {func() any { return &cloud.Success{} }, "success"},
	"deleteFirewallRule":         {func() any { return &cloud.Success{} }, "success"},
}

// TestRecordedResults does the same for every recorded job: the call, its final poll, and the object in its result.
func TestRecordedResults(t *testing.T) {
	seen := map[string]int{}
	for file, exchanges := range recordings(t) {
		polls := map[string]cloud.Exchange{}
		for _, e := range exchanges {
			if e.Command == "queryAsyncJobResult" {
				polls[fmt.Sprint(e.Params["jobid"])] = e
			}
		}
		for i, e := range exchanges {
			r, ok := results[e.Command]
			if !ok || e.Status != 200 {
				continue
			}
			seen[e.Command]++
			name := fmt.Sprintf("%s exchange %d: %s", file, i, e.Command)
			inner := below(t, e.Body)
			object := r.object()
			want := inner
			var err error
			if jobid, ok := inner["jobid"]; ok {
				poll, ok := polls[fmt.Sprint(jobid)]
				if !ok {
					continue // the recording ended before the job
				}
				job := below(t, poll.Body)
				_, err = replay(t, e, poll).Job(t.Context(), e.Command, text(e.Params), object)
				want, _ = job["jobresult"].(map[string]any)
				if job["jobstatus"] != json.Number("1") {
					require.Equal(t, want["errorcode"], json.Number(fmt.Sprint(cloud.Code(err))), name)
					require.ErrorContains(t, err, want["errortext"].(string), name)
					continue
				}
			} else {
				err = cloud.Object(t.Context(), replay(t, e), e.Command, text(e.Params), object)
			}
			require.NoError(t, err, name)
			require.Len(t, want, 1, name)
			for key, wrapped := range want {
				if _, is := wrapped.(bool); is {
					wrapped = want
				}
				unknown := map[string]bool{}
				assert.Empty(t, differences("", wrapped, generic(t, object), unknown), "%s: %s", name, key)
				for _, f := range strings.Fields(r.needed) {
					assert.NotContains(t, unknown, "."+f, name)
				}
			}
		}
	}
	for command := range results {
		require.Positive(t, seen[command], "no recorded result of %s", command)
	}
}

// below is the object below the root of an answer.
func below(t testing.TB, body json.RawMessage) map[string]any {
	t.Helper()
	for _, v := range generic(t, body).(map[string]any) {
		return v.(map[string]any)
	}
	return nil
}
