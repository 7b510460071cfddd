package cloud_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// A create that missed its deadline and is committed later is found by its name and not made twice.
func TestLateCreateIsFound(t *testing.T) {
	looked, committed := make(chan struct{}), make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, command string, n int, _ url.Values) {
		switch {
		case command == "createAccount":
			<-looked // longer than the client waits
			close(committed)
		case n == 2:
			close(looked)
			<-committed
			fallthrough
		case n > 2:
			answerJSON(w, 200, `{"listaccountsresponse":{"count":1,"account":[{"id":"a1","name":"sp-acct","user":[{"id":"u1"}]}]}}`)
		default:
			answerJSON(w, 200, `{"listaccountsresponse":{}}`)
		}
	})
	c := client(t, s, func(o *cloud.Options) {
		o.Eager, o.Timeout, o.Late = false, 100*time.Millisecond,
			20*time.Second
	})
	made, err := c.CreateAccount(t.Context(), cloud.AccountSpec{Name: "sp-acct"})
	require.NoError(t, err)
	assert.Equal(t, "a1", made.Id)
	assert.Equal(t, 1, s.count("createAccount"))
	assert.Equal(t, 4, s.count("listAccounts"), "three looks, and the account read")
	assert.Equal(t, 1, c.Pacer().Stats().Lost)
}

// A delete whose answer was lost is made again; that nothing is found the second time is its success.
func TestLostDelete(t *testing.T) {
	for _, tt := range []struct {
		name, second string
		status       int
		wrong        string
	}{
		{"it was carried out", `{"deletevpcresponse":{"uuidList":[],"errorcode":431,"cserrorcode":9999,"errortext":"Invalid parameter id: entity does not exist"}}`, 431, ""},
		{"it was not", `{"deletevpcresponse":{"jobid":"j"}}`, 200, ""},
		{"it is refused", `{"deletevpcresponse":{"uuidList":[],"errorcode":530,"cserrorcode":9999,"errortext":"in use"}}`, 530, "in use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, command string, n int, _ url.Values) {
				switch {
				case command == "listAsyncJobs":
					answerJSON(w, 200, `{"listasyncjobsresponse":{}}`)
				case command == "queryAsyncJobResult":
					answerJSON(
						w, 200, `{"queryasyncjobresultresponse":{"jobid":"j","jobstatus":1,"jobresult":{"success":true}}}`)
				case n == 0:
					panic(http.ErrAbortHandler)
				default:
					answerJSON(w, tt.status, tt.second)
				}
			})
			err := client(t, s).DeleteVPC(t.Context(), "v")
			if tt.wrong == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.wrong)
			}
			assert.Equal(t, 2, s.count("deleteVPC"))
		})
	}
}

// A call whose answer was lost while its job runs is followed by that job, and not made again.
func TestLostAnswerIsFollowedByItsJob(t *testing.T) {
	jobs := `{"listasyncjobsresponse":{"count":3,"asyncjobs":[
		{"jobid":"other","cmd":"org.apache.cloudstack.api.command.user.vpc.DeleteVPCCmd"},
		{"jobid":"another","cmd":"org.apache.cloudstack.api.command.user.vpc.RestartVPCCmd","jobinstanceid":"w"},
		{"jobid":"mine","cmd":"org.apache.cloudstack.api.command.user.vpc.RestartVPCCmd","jobinstanceid":"v"}]}}`
	s := serve(t, func(w http.ResponseWriter, command string, _ int, v url.Values) {
		switch command {
		case "listAsyncJobs":
			answerJSON(w, 200, jobs)
		case "queryAsyncJobResult":
			answerJSON(w, 200, fmt.Sprintf(
				`{"queryasyncjobresultresponse":{"jobid":%q,"jobstatus":1,"jobresult":{"success":true}}}`,
				v.Get("jobid")))
		default:
			panic(http.ErrAbortHandler)
		}
	})
	c := client(t, s)
	job, err := c.Job(t.Context(), "restartVPC", cloud.Params{"id": "v"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "mine", job.ID)
	assert.Equal(t, 1, s.count("restartVPC"))
}

// An object without a name is found by not having been told of before; one that was told of is another one.
func TestLostAddress(t *testing.T) {
	var mu sync.Mutex
	taken := 0
	s := serve(t, func(w http.ResponseWriter, command string, n int, v url.Values) {
		mu.Lock()
		defer mu.Unlock()
		switch command {
		case "associateIpAddress":
			taken++
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			answerJSON(w, 200, fmt.Sprintf(`{"associateipaddressresponse":{"id":"ip%d","jobid":"j%d"}}`, taken, taken))
		case "listPublicIpAddresses":
			list := `{"id":"nat","issourcenat":true}`
			for i := 1; i <= taken; i++ {
				if id := fmt.Sprintf("ip%d", i); v.Get("id") == "" || v.Get("id") == id {
					list += fmt.Sprintf(`,{"id":%q,"ipaddress":"10.0.0.%d","state":"Allocated"}`, id, i)
				}
			}
			if v.Get("id") != "" {
				list = list[len(`{"id":"nat","issourcenat":true},`):]
				answerJSON(w, 200, `{"listpublicipaddressesresponse":{"count":1,"publicipaddress":[`+list+`]}}`)
				return
			}
			answerJSON(w, 200, fmt.Sprintf(`{"listpublicipaddressesresponse":{"count":%d,"publicipaddress":[%s]}}`,
				taken+1, list))
		case "listAsyncJobs":
			answerJSON(w, 200, `{"listasyncjobsresponse":{}}`)
		}
	})
	c := client(t, s)
	first, err := c.AssociateIPAddress(t.Context(), "z", "v", "", cloud.Owner{})
	require.NoError(t, err)
	assert.Equal(t, "ip1", first.ID)
	second, err := c.AssociateIPAddress(t.Context(), "z", "v", "", cloud.Owner{})
	require.NoError(t, err)
	assert.Equal(t, "ip2", second.ID, "found by looking")
	got, err := second.Wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.2", got.Ipaddress)
	assert.Equal(t, 2, s.count("associateIpAddress"), "and not acquired twice")
}

// What may not be carried out twice is not.
func TestWhatMustNotBeRepeated(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, string, int, url.Values) { panic(http.ErrAbortHandler) })
	c := client(t, s)
	for _, command := range []string{"uploadSslCert", "createVolume", "addVpnUser"} {
		err := c.Change(t.Context(), command, nil, nil)
		var unknown *cloud.OutcomeUnknown
		require.ErrorAs(t, err, &unknown, command)
		_, err = c.Start(t.Context(), command, nil, nil)
		require.ErrorAs(t, err, &unknown, command)
		assert.Equal(t, 2, s.count(command))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, c.Change(ctx, "updateZone", nil, nil))
}

// A trace says when a call was sent and how long it took.
func TestTraceHasTimes(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, _ int, _ url.Values) {
		answerJSON(w, 200, `{"listzonesresponse":{}}`)
	})
	var trace bytes.Buffer
	c := client(t, s, func(o *cloud.Options) { o.Trace = &trace })
	before := time.Now().Truncate(time.Millisecond)
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	all, err := cloud.ReadTrace(&trace)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NotNil(t, all[0].Began)
	assert.False(t, all[0].Began.Before(before), "%s is before %s", all[0].Began, before)
	assert.Positive(t, all[0].Seconds)
	assert.LessOrEqual(t, all[0].Seconds, time.Since(before).Seconds())
}
