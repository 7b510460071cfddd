package cloud_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// cut ends the connection in the middle of an answer.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`{"listzonesresponse":{"cou`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestBadAnswers: what a read and a change make of answers that are not CloudStack's.
func TestBadAnswers(t *testing.T) {
	html := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "<html><head><title>Error %d</title></head>\n<body>Service   starting &amp; so "+
				"on</body></html>", status)
		}
	}
	plain := func(status int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status); _, _ = w.Write([]byte(text)) }
	}
	const notReady, lost = "NotReady", "OutcomeUnknown"
	for _, tt := range []struct {
		name         string
		answer       func(http.ResponseWriter)
		read, change string
		text         string // part of the read's error
	}{
		{"jetty starting", html(503), notReady, notReady, "still starting"},
		{"not deployed yet", html(404), notReady, notReady, `(HTTP 404 text/html, "Error 404 Service starting`},
		{"a web page", html(200), notReady, notReady, "HTTP 200"},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location",
				"/elsewhere")
			w.WriteHeader(http.StatusFound)
		}, notReady, notReady, "HTTP 302"},
		{"plain text", plain(200, "starting up"), notReady, notReady, "starting up"},
		{"a proxy that lost the server", html(502), "", lost, "HTTP 502"},
		{"a proxy that timed out", plain(504, "upstream timed out"), "", lost, "upstream timed out"},
		{"a proxy that speaks JSON", plain(503, `{"errorresponse":{"errorcode":503,"errortext":"no upstream"}}`),
			notReady, notReady, "HTTP 503"},
		{"a gateway that speaks JSON", plain(500, `{"error":{"errorcode":500,"errortext":"no upstream"}}`), "", lost,
			"HTTP 500"},
		{"nothing", plain(200, ""), "", lost, "cut short after 0 bytes"},
		{"half an answer", cut, "", lost, "cut short"},
		{"half an answer, complete for HTTP", plain(200, `{"listzonesresponse":{"zone":[`), "", lost,
			"cut short after 30 bytes"},
		{"two roots", plain(200, `{"a":{},"b":{}}`), "", lost, "cut short"},
		{"a closed connection", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "", lost, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ string, _ int, _ url.Values) { tt.answer(w) })
			c := client(t, s, func(o *cloud.Options) { o.Retries = 1 })
			err := c.Call(t.Context(), "listZones", nil, nil)
			require.ErrorContains(t, err, tt.text)
			require.Equal(t, tt.read, kind(err), "read: %v", err)
			require.Equal(t, 2, s.count("listZones"), "a read is repeated")
			err = c.Call(t.Context(), "createNetwork", cloud.Params{"name": "n"}, nil)
			require.Equal(t, tt.change, kind(err), "change: %v", err)
			require.Equal(t, 1, s.count("createNetwork"), "a change is not repeated")
			require.NotContains(t, err.Error(), "signature")
		})
	}
}

func kind(err error) string {
	if _, ok := errors.AsType[*cloud.OutcomeUnknown](err); ok {
		return "OutcomeUnknown"
	}
	if _, ok := errors.AsType[*cloud.NotReady](err); ok {
		return "NotReady"
	}
	return ""
}

func TestReadsAreRepeated(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, n int, _ url.Values) {
		switch n {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			cut(w)
		default:
			answerJSON(w, 200, `{"listzonesresponse":{"count":3}}`)
		}
	})
	var got struct{ Count int }
	require.NoError(t, client(t, s).Call(t.Context(), "listZones", nil, &got))
	require.Equal(t, 3, got.Count)
	require.Equal(t, 4, s.count("listZones"))
}

// TestChangesOnKeptConnections: net/http repeats a GET by itself when a kept connection dies under it; a change must
// not be one.
func TestChangesOnKeptConnections(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, _ int, _ url.Values) {
		if command == "deleteVPC" {
			panic(http.ErrAbortHandler)
		}
		answerJSON(w, 200, `{"listzonesresponse":{}}`)
	})
	for _, integration := range []bool{false, true} {
		c := client(t, s, func(o *cloud.Options) {
			if integration {
				o.APIKey, o.SecretKey, o.Integration = "", "", true
			}
		})
		before := s.count("deleteVPC")
		require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
		err := c.Call(t.Context(), "deleteVPC", cloud.Params{"id": "x"}, nil)
		require.Equal(t, "OutcomeUnknown", kind(err), "%v", err)
		require.Equal(t, before+1, s.count("deleteVPC"))
	}
}

// TestThrottled: 429 is waited out, for changes too, and the time that the server names is kept.
func TestThrottled(t *testing.T) {
	var first, second time.Time
	s := serve(t, func(w http.ResponseWriter, _ string, n int, _ url.Values) {
		switch n {
		case 0:
			first = time.Now()
			answerJSON(w, 429, `{"createnetworkresponse":{"uuidList":[],"errorcode":429,"cserrorcode":9999,"errortext":"The given user has reached his/her account api limit, please retry after 300 ms."}}`)
		case 1:
			second = time.Now()
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			answerJSON(w, 200, `{"createnetworkresponse":{"network":{}}}`)
		}
	})
	require.NoError(t, client(t, s).Call(t.Context(), "createNetwork", nil, nil))
	require.GreaterOrEqual(t, second.Sub(first), 300*time.Millisecond)
	require.Equal(t, 3, s.count("createNetwork"))
}

// TestServerGone: a connection that cannot be made proves that nothing was sent: no unknown outcome, and no URL in the
// text.
func TestServerGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c, err := cloud.New(cloud.Options{URL: "http://" + l.Addr().String(), APIKey: "k", SecretKey: "s", Retries: 1})
	require.NoError(t, err)
	err = c.Call(t.Context(), "createVPC", nil, nil)
	require.Empty(t, kind(err))
	require.ErrorContains(t, err, "createVPC: dial tcp "+l.Addr().String())
	require.NotContains(t, err.Error(), "apikey")
	require.NoError(t, c.Close(t.Context()))
}

// TestLostCreate: Look decides what becomes of a create whose answer was lost.
func TestLostCreate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers int // from which create on the server answers
		look    func(n int) (bool, string, error)
		id      string
		creates int
		text    string
	}{
		{"no look", 9, nil, "", 1, "look whether it happened"},
		{"found", 9, func(int) (bool, string, error) { return true, "found-id", nil }, "found-id", 1, ""},
		{"found late", 9, func(n int) (bool, string, error) { return n == 1, "late-id", nil }, "late-id", 1, ""},
		{"not found, made again", 1, func(int) (bool, string, error) { return false, "", nil }, "new-id", 2, ""},
		{"not found, always lost", 9, func(int) (bool, string, error) { return false, "", nil }, "", 4,
			"outcome unknown"},
		{"look fails", 9, func(int) (bool, string, error) { return false, "", errors.New("no list") }, "", 1,
			"no list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ string, n int, _ url.Values) {
				if n < tt.answers {
					panic(http.ErrAbortHandler)
				}
				answerJSON(w, 200, `{"createvpcresponse":{"id":"new-id","jobid":"j"}}`)
			})
			var look cloud.Look
			looks := 0
			if tt.look != nil {
				look = func(context.Context) (bool, string, error) { looks++; return tt.look(looks - 1) }
			}
			p, err := client(t, s).Create(t.Context(), "createVPC", cloud.Params{"name": "v"}, look)
			if tt.text != "" {
				require.ErrorContains(t, err, tt.text)
				require.Equal(t, "OutcomeUnknown", kind(err))
			} else {
				require.NoError(t, err)
				require.Equal(t, tt.id, p.ID)
			}
			require.Equal(t, tt.creates, s.count("createVPC"))
		})
	}
}

// TestLostJob: a job whose end cannot be seen has an unknown outcome that names it.
func TestLostJob(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, _ int, _ url.Values) {
		if command == "deleteVPC" {
			answerJSON(w, 200, `{"deletevpcresponse":{"jobid":"j7"}}`)
			return
		}
		answerJSON(w, 200, `{"queryasyncjobresultresponse":{"jobstatus":0}}`)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := client(t, s).Job(ctx, "deleteVPC", cloud.Params{"id": "x"}, nil)
	unknown, ok := errors.AsType[*cloud.OutcomeUnknown](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "j7", unknown.JobID)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestSession: login by POST, key as cookie and parameter, one new login when the session has died, logout at the end.
func TestSession(t *testing.T) {
	valid := ""
	logins := 0
	var logout url.Values
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch r.Form.Get("command") {
		case "login":
			if r.Method != http.MethodPost || r.URL.RawQuery != "" || r.Form.Get("password") != "pw" ||
				r.Form.Get("domain") != "/reg" {
				answerJSON(w, 531, `{"loginresponse":{"uuidList":[],"errorcode":531,"errortext":"Failed to authenticate user"}}`)
				return
			}
			logins++
			valid = fmt.Sprintf("session-key-%d/+=", logins)
			http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: fmt.Sprint("node", logins), HttpOnly: true})
			answerJSON(w, 200, `{"loginresponse":{"sessionkey":"`+valid+
				`","is2faenabled":"false","is2faverified":"true"}}`)
		case "logout":
			logout = r.Form
			answerJSON(w, 200, `{"logoutresponse":{"description":"success"}}`)
		default:
			id, _ := r.Cookie("JSESSIONID")
			key, err := r.Cookie("sessionkey")
			if err != nil || id.Value != fmt.Sprint("node", logins) || key.Value != valid ||
				r.Form.Get("sessionkey") != valid || r.Form.Has("signature") {
				answerJSON(w, 401, `{"listzonesresponse":{"uuidList":[],"errorcode":401,"errortext":"unable to verify user credentials"}}`)
				return
			}
			answerJSON(w, 200, `{"listzonesresponse":{}}`)
		}
	}))
	defer h.Close()
	c, err := cloud.New(cloud.Options{URL: h.URL, Username: "u", Password: "pw", Domain: "/reg"})
	require.NoError(t, err)
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	require.Equal(t, 1, logins)
	valid = "the server was restarted"
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	require.Equal(t, 2, logins)
	require.NoError(t, c.Close(t.Context()))
	require.Equal(t, "session-key-2/+=", logout.Get("sessionkey"))

	c, err = cloud.New(cloud.Options{URL: h.URL, Username: "u", Password: "wrong"})
	require.NoError(t, err)
	err = c.Call(t.Context(), "listZones", nil, nil)
	require.True(t, cloud.IsDenied(err), "%v", err)
	require.ErrorContains(t, err, "login: refused with 531")
	require.NoError(t, c.Close(t.Context()))
}

// TestSessionDiesUnderMany: eight calls that find their session dead at the same time make one new login.
func TestSessionDiesUnderMany(t *testing.T) {
	const calls = 8
	var refused sync.WaitGroup
	refused.Add(calls)
	s := serve(t, func(w http.ResponseWriter, command string, n int, v url.Values) {
		switch {
		case command == "login":
			answerJSON(w, 200, fmt.Sprintf(`{"loginresponse":{"sessionkey":"key%d"}}`, n))
		case v.Get("sessionkey") == "key0" && v.Get("id") != "":
			refused.Done()
			refused.Wait()
			answerJSON(w, 401, `{"r":{"errorcode":401,"errortext":"unable to verify user credentials"}}`)
		default:
			answerJSON(w, 200, `{"r":{}}`)
		}
	})
	c := client(t, s, func(o *cloud.Options) { o.APIKey, o.SecretKey, o.Username, o.Password = "", "", "u", "p" })
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if err := c.Call(t.Context(), "listZones", cloud.Params{"id": i}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 2, s.count("login"))
}

// TestJobWithoutSuccess: a job that ended well with success=false did not do what was asked.
func TestJobWithoutSuccess(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, _ int, _ url.Values) {
		if command == "deleteVPC" {
			answerJSON(w, 200, `{"deletevpcresponse":{"jobid":"j"}}`)
			return
		}
		answerJSON(w, 200, `{"r":{"jobid":"j","jobstatus":1,"jobresult":{"success":false,"displaytext":"no"}}}`)
	})
	_, err := client(t, s).Job(t.Context(), "deleteVPC", cloud.Params{"id": "x"}, nil)
	require.ErrorContains(t, err, "success=false")
	require.True(t, cloud.IsRefused(err))
}

func TestCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, 200,
			`{"r":{}}`)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is meant
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
		0o600))
	for _, tt := range []struct {
		name string
		opts cloud.Options
		text string
	}{
		{"trusted file", cloud.Options{CAFile: ca}, ""},
		{"insecure", cloud.Options{Insecure: true}, ""},
		{"unknown authority", cloud.Options{}, "certificate"},
	} {
		tt.opts.URL, tt.opts.APIKey, tt.opts.SecretKey, tt.opts.Retries = s.URL, "k", "s", -1
		c, err := cloud.New(tt.opts)
		require.NoError(t, err, tt.name)
		err = c.Call(t.Context(), "listZones", nil, nil)
		if tt.text == "" {
			require.NoError(t, err, tt.name)
		} else {
			require.ErrorContains(t, err, tt.text, tt.name)
		}
		require.Equal(t, tt.text != "", cloud.IsUntrusted(err), tt.name)
		require.NoError(t, c.Close(t.Context()))
	}
}

func TestRelease(t *testing.T) {
	const refusal = `{"listcapabilitiesresponse":{"uuidList":[],"errorcode":%d,"cserrorcode":9999,"errortext":"Cannot parse null string"}}`
	for _, tt := range []struct {
		status  int
		body    string
		want    string
		text    string
		unknown bool
	}{
		{200, `{"listcapabilitiesresponse":{"capability":{"cloudstackversion":"4.20.1.0"}}}`, "4.20.1.0", "", false},
		{200, `{"listcapabilitiesresponse":{"capability":{}}}`, "", "names no version): name it with --release", true},
		{431, fmt.Sprintf(refusal, 431), "",
			"listCapabilities: refused with 431/9999: Cannot parse null string): name it with --release", true},
		{432, fmt.Sprintf(refusal, 432), "", "--release", true},
		{401, fmt.Sprintf(refusal, 401), "", "refused with 401", false},
	} {
		s := serve(t, func(w http.ResponseWriter, _ string, _ int, _ url.Values) { answerJSON(w, tt.status, tt.body) })
		got, err := client(t, s).Release(t.Context())
		require.Equal(t, tt.want, got)
		if tt.text == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tt.text)
		_, unknown := errors.AsType[*cloud.ReleaseUnknown](err)
		require.Equal(t, tt.unknown, unknown, "%v", err)
	}
}
