package cloud_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// server is a real HTTP server that answers calls with a function and remembers them.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	calls []url.Values
	posts int
}

// serve starts a server. The function gets the call and its number among the calls of that command, from 0.
func serve(t testing.TB, answer func(w http.ResponseWriter, command string, n int, v url.Values)) *server {
	t.Helper()
	s := &server{}
	seen := map[string]int{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.mu.Lock()
		command := r.Form.Get("command")
		n := seen[command]
		seen[command]++
		s.calls = append(s.calls, r.Form)
		if r.Method == http.MethodPost {
			s.posts++
		}
		s.mu.Unlock()
		answer(w, command, n, r.Form)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) count(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if c.Get("command") == command {
			n++
		}
	}
	return n
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func client(t testing.TB, s *server, change ...func(*cloud.Options)) *cloud.Client {
	t.Helper()
	o := cloud.Options{URL: s.URL + "/client/api", APIKey: "the-api-key-of-this-test",
		SecretKey: "the-secret-key-of-this-test", Eager: true}
	for _, f := range change {
		f(&o)
	}
	c, err := cloud.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.WithoutCancel(t.Context()))) })
	return c
}

// TestSignature computes the signature as the server does (names sorted, Java's URL encoding, whole text lower-cased).
func TestSignature(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, _ int, _ url.Values) {
		answerJSON(w, 200, `{"listzonesresponse":{}}`)
	})
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.FixedZone("", 3600))
	c := client(t, s, func(o *cloud.Options) { o.Now = func() time.Time { return now } })
	require.NoError(t, c.Call(t.Context(), "listZones", cloud.Params{"keyword": "a b+c*~/Ü&=",
		"details[0].cpuNumber": "X", "listall": true}, nil))

	got := s.calls[0]
	require.Equal(t, "2026-11-21T21:15:00+0000", got.Get("expires"))
	require.Equal(t, "3", got.Get("signatureversion"))
	require.Equal(t, "a b+c*~/Ü&=", got.Get("keyword"))
	signature := got.Get("signature")
	got.Del("signature")
	var names, parts []string
	for n := range got {
		names = append(names, n)
	}
	slices.Sort(names)
	java := map[string]string{"a b+c*~/Ü&=": "a%20b%2Bc*%7E%2F%C3%9C%26%3D",
		"2026-11-21T21:15:00+0000": "2026-11-21T21%3A15%3A00%2B0000"}
	for _, n := range names {
		v := got.Get(n)
		if e, ok := java[v]; ok {
			v = e
		}
		parts = append(parts, n+"="+v)
	}
	mac := hmac.New(sha1.New, []byte("the-secret-key-of-this-test"))
	mac.Write([]byte(strings.ToLower(strings.Join(parts, "&"))))
	require.Equal(t, base64.StdEncoding.EncodeToString(mac.Sum(nil)), signature)
}

// TestJob shows that irregular root keys and wrapped results decode.
func TestJob(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, n int, v url.Values) {
		switch {
		case command == "createLBStickinessPolicy":
			answerJSON(w, 200, `{"createLBStickinessPolicy":{"id":"p1","jobid":"j1"}}`)
		case command == "deleteLBStickinessPolicy":
			answerJSON(w, 200, `{"deleteLBstickinessrruleresponse":{"jobid":"j2"}}`)
		case n < 2:
			answerJSON(w, 200, `{"queryasyncjobresultresponse":{"jobstatus":0,"jobid":"`+v.Get("jobid")+`"}}`)
		case v.Get("jobid") == "j1":
			answerJSON(w, 200, `{"queryasyncjobresultresponse":{"jobstatus":1,"jobid":"j1","jobresult":{"stickinesspolicies":{"lbruleid":"r","stickinesspolicy":[{"id":"p1","name":"s","methodname":"SourceBased","params":{"tablesize":"1k"}}]}}}}`)
		default:
			answerJSON(w, 200, `{"queryasyncjobresultresponse":{"jobstatus":2,"jobid":"j2","jobresultcode":530,"jobresult":{"errorcode":530,"errortext":"Failed to remove"}}}`)
		}
	})
	c := client(t, s)
	p, err := c.CreateStickinessPolicy(t.Context(), cloud.StickinessSpec{LBRuleID: "r", Name: "s",
		MethodName: "SourceBased", Params: map[string]string{"tablesize": "1k", "expire": "5m"}})
	require.NoError(t, err)
	require.Equal(t, "p1", p.ID)
	got, err := p.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, []cloud.StickinessPolicy{{ID: "p1", Name: "s", MethodName: "SourceBased",
		Params: map[string]string{"tablesize": "1k"}}}, got.Policies)
	sent := s.calls[0]
	require.Equal(t, []string{"expire", "5m", "tablesize", "1k"}, []string{sent.Get("param[0].name"),
		sent.Get("param[0].value"), sent.Get("param[1].name"), sent.Get("param[1].value")})

	err = c.DeleteStickinessPolicy(t.Context(), "p1")
	require.ErrorContains(t, err, "deleteLBStickinessPolicy (job j2): refused with 530: Failed to remove")
	require.Equal(t, cloud.CodeInternal, cloud.Code(err))
	require.False(t, cloud.IsNotFound(err))
}
