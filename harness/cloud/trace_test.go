package cloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

// conformance is where the recordings are.
func conformance() string {
	if dir := os.Getenv("STACKPROOF_CONFORMANCE"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "conformance")
}

// recordings reads every recorded exchange, by file.
func recordings(t testing.TB) map[string][]cloud.Exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformance(), "*", "api*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recordings under %s", conformance())
	all := map[string][]cloud.Exchange{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		all[f], err = cloud.ReadTrace(bytes.NewReader(data))
		require.NoError(t, err, f)
	}
	return all
}

// replay serves exchanges and returns a client for them.
func replay(t testing.TB, exchanges ...cloud.Exchange) *cloud.Client {
	t.Helper()
	var trace bytes.Buffer
	for _, e := range exchanges {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		trace.Write(append(line, '\n'))
	}
	h, err := cloud.Replay(&trace)
	require.NoError(t, err)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := cloud.New(cloud.Options{URL: s.URL, APIKey: "k", SecretKey: "s", Eager: true, Retries: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.WithoutCancel(t.Context()))) })
	return c
}

// TestReplayOfRecordings sends every recorded call to the replay of its file, in order, and traces it: each answer must
// be the recorded one, and the trace the recording again.
func TestReplayOfRecordings(t *testing.T) {
	for file, exchanges := range recordings(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		h, err := cloud.Replay(bytes.NewReader(data))
		require.NoError(t, err)
		s := httptest.NewServer(h)
		defer s.Close()
		var trace bytes.Buffer
		c, err := cloud.New(cloud.Options{URL: s.URL, APIKey: "k", SecretKey: "s", Trace: &trace, Retries: -1})
		require.NoError(t, err)
		for i, e := range exchanges {
			params := cloud.Params{}
			for k, v := range e.Params {
				params[k] = scalar(v)
			}
			err := c.Call(t.Context(), e.Command, params, nil)
			if e.Status == 200 {
				require.NoError(t, err, "%s exchange %d", file, i)
				continue
			}
			refusal, ok := errors.AsType[*cloud.Error](err)
			require.True(t, ok, "%s exchange %d: %v", file, i, err)
			require.Equal(t, e.Status, refusal.Status)
			require.Equal(t, e.Status, refusal.Code)
			require.NotEmpty(t, refusal.Text)
			if e.XDescription != nil {
				require.Equal(t, *e.XDescription, refusal.Text)
				require.NotZero(t, refusal.CSCode)
			}
		}
		require.NoError(t, c.Close(t.Context()))
		again, err := cloud.ReadTrace(&trace)
		require.NoError(t, err)
		require.Len(t, again, len(exchanges), file)
		for i, e := range exchanges {
			require.Equal(t, e.Command, again[i].Command)
			require.Equal(t, e.Status, again[i].Status)
			require.JSONEq(t, string(e.Body), string(again[i].Body), "%s exchange %d", file, i)
			require.Equal(t, e.XDescription, again[i].XDescription)
			for k, v := range e.Params {
				if k != "password" {
					require.Equal(t, scalar(v), again[i].Params[k])
				}
			}
			require.Len(t, again[i].Params, len(e.Params))
		}
	}
}

func scalar(v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v.(string)
}

// TestReplayOrder: same parameters in order, then the last again; other parameters by command; unknown commands are
// refused.
func TestReplayOrder(t *testing.T) {
	line := func(command, id, n string) cloud.Exchange {
		return cloud.Exchange{Command: command, Params: map[string]any{"id": id}, Status: 200,
			Body: json.RawMessage(`{"r":{"n":"` + n + `"}}`)}
	}
	c := replay(t, line("listZones", "a", "a1"), line("listZones", "b", "b1"), line("listZones", "a", "a2"),
		line("listZones", "1", "one"))
	ask := func(id any) string {
		var got struct{ N string }
		require.NoError(t, c.Call(t.Context(), "listZones", cloud.Params{"ID": id}, &got))
		return got.N
	}
	require.Equal(t, []string{"b1", "a1", "a2", "a2", "b1", "one", "one"}, []string{ask("b"), ask("a"), ask("a"),
		ask("a"), ask("b"), ask(1), ask("other")})
	err := c.Call(t.Context(), "createVPC", nil, nil)
	require.True(t, cloud.IsUnsupported(err), "%v", err)
	require.ErrorContains(t, err, "'createVPC'")
}

// TestReplayIgnoresSecrets: a recorded login is found although its password was removed.
func TestReplayIgnoresSecrets(t *testing.T) {
	login := func(user string) cloud.Exchange {
		return cloud.Exchange{Command: "login", Params: map[string]any{"username": user, "password": "redacted"},
			Status: 200, Body: json.RawMessage(`{"r":{"account":"` + user + `"}}`)}
	}
	var got struct{ Account string }
	require.NoError(t, replay(t, login("a"), login("b")).Call(t.Context(), "login",
		cloud.Params{"username": "b", "password": "real"}, &got))
	require.Equal(t, "b", got.Account)
}

// TestTraceHasNoSecrets drives every way in which a secret crosses the wire and looks for it in what was traced.
func TestTraceHasNoSecrets(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, command string, _ int, v url.Values) {
		switch command {
		case "login":
			answerJSON(w, 200, `{"loginresponse":{"username":"u","sessionkey":"SECRET-session-key"}}`)
		case "registerUserKeys":
			answerJSON(w, 200, `{"registeruserkeysresponse":{"userkeys":{"apikey":"SECRET-new-api","secretkey":"SECRET-new"}}}`)
		case "listConfigurations":
			answerJSON(w, 200, `{"r":{"configuration":[{"name":"some.secret.key","value":"SECRET-conf"},{"name":"expunge.delay","value":"20"}]}}`)
		case "listEcho":
			answerJSON(w, 431, `{"r":{"errorcode":431,"errortext":"odd apikey `+v.Get("apikey")+v.Get("sessionkey")+
				`"}}`)
		default:
			answerJSON(w, 200, `{"r":{"user":[{"apikey":"SECRET-a","password":"SECRET-b","nested":{"privatekey":"SECRET-c"}}],"passwordenabled":true}}`)
		}
	})
	var trace bytes.Buffer
	for _, o := range []cloud.Options{{APIKey: "SECRET-api-key", SecretKey: "SECRET-secret-key"},
		{Username: "u", Password: "SECRET-password"}} {
		c := client(t, s, func(p *cloud.Options) {
			p.APIKey, p.SecretKey, p.Username, p.Password, p.Trace = o.APIKey, o.SecretKey, o.Username, o.Password,
				&trace
		})
		for _, call := range []struct {
			command string
			params  cloud.Params
		}{
			{"registerUserKeys", cloud.Params{"id": "kept"}},
			{"createAccount", cloud.Params{"password": "SECRET-pw", "username": "kept"}},
			{"updateConfiguration", cloud.Params{"name": "ldap.bind.password", "value": "SECRET-value"}},
			{"listConfigurations", nil}, {"listUsers", nil}, {"listEcho", nil},
		} {
			_ = c.Call(t.Context(), call.command, call.params, nil)
		}
	}
	require.NotContains(t, trace.String(), "SECRET")
	require.NotContains(t, trace.String(), "signature")
	for _, kept := range []string{`"id":"kept"`, `"username":"kept"`, `"passwordenabled":true`, `"value":"20"`,
		`"apikey":"redacted"`, "odd apikey redacted"} {
		require.Contains(t, trace.String(), kept)
	}
	require.Equal(t, 13, strings.Count(trace.String(), "\n"))
}

// TestTraceOfFailures: an exchange without an answer is a line with status 0 that a replay passes over; text is kept as
// text.
func TestTraceOfFailures(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, n int, _ url.Values) {
		if n == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<p>starting</p>")
	})
	var trace bytes.Buffer
	c := client(t, s, func(o *cloud.Options) { o.Trace, o.Retries = &trace, 1 })
	require.Equal(t, "NotReady", kind(c.Call(t.Context(), "listZones", nil, nil)))
	all, err := cloud.ReadTrace(&trace)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Zero(t, all[0].Status)
	require.Contains(t, *all[0].XDescription, "EOF")
	require.JSONEq(t, `"<p>starting</p>"`, string(all[1].Body))
	err = replay(t, all...).Call(t.Context(), "listZones", nil, nil)
	require.Equal(t, "NotReady", kind(err))
	require.ErrorContains(t, err, `(HTTP 503 text/html, "starting")`)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestTraceThatCannotBeWritten does not disturb the calls; Close reports it.
func TestTraceThatCannotBeWritten(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ string, _ int, _ url.Values) { answerJSON(w, 200, `{"r":{}}`) })
	c, err := cloud.New(cloud.Options{URL: s.URL, APIKey: "k", SecretKey: "s", Trace: brokenWriter{}})
	require.NoError(t, err)
	require.NoError(t, c.Call(t.Context(), "listZones", nil, nil))
	require.ErrorContains(t, c.Close(t.Context()), "write the trace: disk full")
}

func TestReadTraceErrors(t *testing.T) {
	good := `{"command":"listZones","params":{},"status":200,"body":{"r":{}}}`
	for text, want := range map[string]string{
		good + "\n\n{":                      "trace line 3: not a recorded call: unexpected EOF",
		"[]":                                "trace line 1: not a recorded call",
		`{"params":{}}`:                     `trace line 1: not a recorded call: no "command"`,
		`{"command":"a","status":7}`:        "status 7 is no final HTTP status",
		`{"command":"a","status":100}`:      "status 100 is no final HTTP status",
		`{"command":"a","params":{"x":{}}}`: "parameter x is not a scalar",
		good + good:                         "more than one JSON object on the line",
	} {
		_, err := cloud.Replay(strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
	}
}

// longestSeed is how long a recorded call may be that fuzzing begins with: what grows out of long ones is slow to read.
const longestSeed = 2000

// FuzzReplay: whatever a trace says, reading it does not panic, and what was read can be served to any query.
func FuzzReplay(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(conformance(), "*", "api*.jsonl"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		for i, line := range bytes.Split(data, []byte("\n")) {
			if i%40 == 0 && len(line) > 0 && len(line) < longestSeed {
				f.Add(line, "command=listZones&listall=true")
			}
		}
	}
	f.Add([]byte(`{"command":"a","status":204,"contentType":"\n","xDescription":"a\nb","body":"\u0000"}`),
		"command=A&x=1&x=2&%zz")
	f.Fuzz(func(t *testing.T, trace []byte, query string) {
		all, err := cloud.ReadTrace(bytes.NewReader(trace))
		h, err2 := cloud.Replay(bytes.NewReader(trace))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("ReadTrace: %v, Replay: %v", err, err2)
		}
		if err != nil {
			return
		}
		queries := []string{query}
		for _, e := range all {
			queries = append(queries, url.Values{"command": {e.Command}}.Encode())
		}
		for i, q := range queries {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/client/api", RawQuery: q}})
			if i > 0 && all[i-1].Status != 0 && w.Code == cloud.CodeUnsupported &&
				!recordedWith(all, cloud.CodeUnsupported) {
				t.Fatalf("%s is recorded and was refused", queries[i])
			}
		}
	})
}

func recordedWith(all []cloud.Exchange, status int) bool {
	for _, e := range all {
		if e.Status == status {
			return true
		}
	}
	return false
}
