package api

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// backend knows three commands and one user.
type backend struct{ calls []map[string]string }

func (b *backend) Version() string { return "4.20.1.0" }

func (b *backend) Find(command string) (string, bool) {
	root, ok := map[string]string{"listZones": "listzonesresponse", "createCounter": "counterresponse",
		"explode": "exploderesponse"}[command]
	return root, ok
}

func (b *backend) Call(_ context.Context, login any, command string, params map[string]string) (map[string]any, error) {
	b.calls = append(b.calls, params)
	switch command {
	case "listZones":
		return map[string]any{"count": 1, "zone": []map[string]any{{"name": "a<b&c", "id": "1", "tags": []string{},
			"gone": nil}}, "login": login}, nil
	case "createCounter":
		return nil, Invalid("bad\nname")
	case "explode":
		panic("boom")
	}
	return nil, errors.New("no such thing")
}

func (b *backend) KeyOwner(key string) (any, string, bool) { return "keyed", "secret", key == "key" }

func (b *backend) Login(username, password, _, _ string) (any, map[string]any, *Error) {
	if username != "admin" || password != "password" {
		return nil, nil, &Error{Code: CodeAccount, Text: "Failed to authenticate"}
	}
	return "logged in", map[string]any{"username": username}, nil
}

type client struct {
	*testing.T
	http   *http.Client
	server *Server
	now    time.Time
}

func newClient(t *testing.T, either bool) *client {
	t.Helper()
	c := &client{T: t, http: &http.Client{}, now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c.http.Jar = jar
	c.server, err = Listen(Options{Backend: &backend{}, SessionKeyEither: either,
		Now: func() time.Time { return c.now }})
	require.NoError(t, err)
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		require.NoError(t, c.server.Close(context.Background()))
	})
	return c
}

func (c *client) do(method, address string, p Params) (int, http.Header, string) {
	c.Helper()
	form := url.Values{}
	for k, v := range p {
		form.Set(k, v)
	}
	var resp *http.Response
	var err error
	if method == http.MethodPost {
		resp, err = c.http.PostForm(address, form)
	} else {
		resp, err = c.http.Get(address + "?" + form.Encode())
	}
	require.NoError(c, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c, err)
	return resp.StatusCode, resp.Header, string(text)
}

func signed(p Params) Params {
	p["apikey"] = "key"
	p["signature"] = Sign(p, "secret")
	return p
}

func TestSignatures(t *testing.T) {
	c := newClient(t, false)
	zones := func(more ...string) Params {
		p := Params{"command": "listZones", "response": "json"}
		for i := 0; i+1 < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		return p
	}
	broken := signed(zones())
	broken["name"] = "added"
	for name, one := range map[string]struct {
		params Params
		status int
	}{
		"signed":                {signed(zones()), 200},
		"blank, star and slash": {signed(zones("name", "a b*c/d~e+ü")), 200},
		"unsigned":              {zones(), 401},
		"changed after signing": {broken, 401},
		"no key":                {Params{"command": "listZones", "response": "json", "signature": "x"}, 401},
		"unknown key": {Params{"command": "listZones", "response": "json", "apikey": "other",
			"signature": "x"}, 401},
		"version 3 without expires": {signed(zones("signatureversion", "3")), 401},
		"version 3, offset": {signed(zones("signatureversion", "3", "expires", "2026-11-21T23:00:01+0100")),
			200},
		"version 3, colon in offset": {signed(zones("signatureversion", "3", "expires",
			"2026-11-21T22:00:00+00:00")), 200},
		"version 3, instant": {signed(zones("signatureversion", "3", "expires", "2026-11-21T22:00:00Z")),
			200},
		"version 3, expired": {signed(zones("signatureversion", "3", "expires", "2026-11-21T21:59:59+0000")),
			401},
		"version 3, no date": {signed(zones("signatureversion", "3", "expires", "soon")), 401},
		"version 2 ignores old expires": {signed(zones("signatureversion", "2", "expires", "2020-01-01T00:00:00+0000")),
			200},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				status, header, text := c.do(method, c.server.URL(), one.params)
				require.Equal(t, one.status, status, "%s %s", method, text)
				require.Equal(t, "application/json;charset=utf-8", header.Get("Content-Type"))
				if status == 401 {
					require.JSONEq(
						t, `{"listzonesresponse":{"uuidList":[],"errorcode":401,"errortext":"unable to verify user credentials and/or request signature"}}`, text)
					require.Empty(t, header.Get("X-Description"))
				}
			}
		})
	}
}

func TestErrorsAndForms(t *testing.T) {
	c := newClient(t, false)
	status, header, text := c.do(http.MethodGet, c.server.URL(),
		signed(Params{"command": "createCounter", "response": "json"}))
	require.Equal(t, 431, status)
	require.Equal(t, "bad name", header.Get("X-Description"))
	require.JSONEq(t, `{"counterresponse":{"uuidList":[],"errorcode":431,"cserrorcode":4350,"errortext":"bad\nname"}}`,
		text)

	status, header, text = c.do(http.MethodGet, c.server.URL(), signed(Params{"command": "listZones"}))
	require.Equal(t, 200, status)
	require.Equal(t, "text/xml;charset=utf-8", header.Get("Content-Type"))
	var zones struct {
		XMLName xml.Name `xml:"listzonesresponse"`
		Version string   `xml:"cloud-stack-version,attr"`
		Count   int      `xml:"count"`
		Zone    []struct {
			Name string `xml:"name"`
		} `xml:"zone"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text), &zones), text)
	require.Equal(t, "4.20.1.0", zones.Version)
	require.Equal(t, 1, zones.Count)
	require.Equal(t, "a<b&c", zones.Zone[0].Name)

	status, _, text = c.do(http.MethodGet, c.server.URL(), signed(Params{"command": "explode", "response": "json"}))
	require.Equal(t, 530, status)
	require.Contains(t, text, `"errorcode":530`)

	status, _, text = c.do(http.MethodGet, c.server.URL(),
		signed(Params{"command": "noSuchCommand", "response": "json"}))
	require.Equal(t, 401, status)
	require.Contains(t, text, `"errorresponse"`)

	status, _, text = c.do(http.MethodGet, c.server.URL(),
		signed(Params{"command": "listZones", "response": "json", "name": "a\x00b"}))
	require.Equal(t, 431, status)
	require.Contains(t, text, "illegal ASCII non-printable characters for parameter name")

	resp, err := c.http.Get(c.server.URL() + "?command=%zz&response=json")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, CodeMalformed, resp.StatusCode)

	resp, err = c.http.Post(c.server.URL()+"?response=json", "application/x-www-form-urlencoded",
		strings.NewReader("a="+strings.Repeat("x", MaxBody)))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, CodeMalformed, resp.StatusCode)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.server.URL(), nil)
	require.NoError(t, err)
	resp, err = c.http.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

func TestIntegrationPort(t *testing.T) {
	c := newClient(t, false)
	status, _, text := c.do(http.MethodGet, c.server.IntegrationURL(), Params{"command": "listZones",
		"response": "json"})
	require.Equal(t, 200, status, text)
	status, _, text = c.do(http.MethodGet, c.server.IntegrationURL(), Params{"command": "noSuchCommand",
		"response": "json"})
	require.Equal(t, 530, status, text)
	require.Contains(t, text, "errorresponse")
	status, _, text = c.do(http.MethodGet, c.server.IntegrationURL(), Params{"command": "listZones", "response": "json",
		"usersecretkey": "x"})
	require.Equal(t, 531, status)
	require.Contains(t, text, "can't be passed through the API integration port")
	// only the address is read there
	status, _, text = c.do(http.MethodPost, c.server.IntegrationURL(), Params{"command": "listZones",
		"response": "json"})
	require.Equal(t, 432, status, text)
}

func TestSessions(t *testing.T) {
	for name, either := range map[string]bool{"4.19.1.0": true, "later": false} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, either)
			status, _, text := c.do(http.MethodGet, c.server.URL(), Params{"command": "login", "username": "admin",
				"password": "password", "response": "json"})
			require.Equal(t, 405, status, text)
			status, header, text := c.do(http.MethodPost, c.server.URL(),
				Params{"command": "login", "username": "admin", "password": "wrong", "response": "json"})
			require.Equal(t, 531, status)
			require.Empty(t, header.Get("X-Description"))
			require.JSONEq(t, `{"loginresponse":{"uuidList":[],"errorcode":531,"errortext":"Failed to authenticate"}}`,
				text)

			key := c.login()
			status, _, text = c.do(http.MethodGet, c.server.URL(), Params{"command": "listZones", "response": "json",
				"sessionkey": key})
			require.Equal(t, 200, status, "cookie and parameter: %s", text)
			require.Contains(t, text, "logged in")

			want := 401
			if either {
				want = 200
			}
			status, _, _ = c.do(http.MethodGet, c.server.URL(), Params{"command": "listZones", "response": "json"})
			require.Equal(t, want, status, "cookie alone")

			c.login()
			status, _, text = c.do(http.MethodGet, c.server.URL(), Params{"command": "listZones", "response": "json",
				"sessionkey": "other"})
			require.Equal(t, 401, status)
			require.Contains(t, text, `"unable to verify user credentials"`)

			key = c.login()
			c.now = c.now.Add(sessionTimeout + time.Second)
			status, _, _ = c.do(http.MethodGet, c.server.URL(), Params{"command": "listZones", "response": "json",
				"sessionkey": key})
			require.Equal(t, 401, status, "a session that was idle too long")

			c.login()
			status, _, _ = c.do(http.MethodGet, c.server.URL(), Params{"command": "logout", "response": "json"})
			require.Equal(t, 200, status)
			status, _, _ = c.do(http.MethodGet, c.server.URL(), Params{"command": "logout", "response": "json"})
			require.Equal(t, 431, status)
		})
	}
}

func (c *client) login() string {
	c.Helper()
	status, _, text := c.do(http.MethodPost, c.server.URL(), Params{"command": "login", "username": "admin",
		"password": "password", "response": "json"})
	require.Equal(c, 200, status, text)
	var answer struct {
		LoginResponse struct {
			SessionKey string `json:"sessionkey"`
			Timeout    int    `json:"timeout"`
		} `json:"loginresponse"`
	}
	require.NoError(c, json.Unmarshal([]byte(text), &answer))
	require.Equal(c, 1800, answer.LoginResponse.Timeout)
	return answer.LoginResponse.SessionKey
}

func TestListenTwice(t *testing.T) {
	c := newClient(t, false)
	taken := strings.TrimSuffix(strings.TrimPrefix(c.server.URL(), "http://"), "/client/api")
	_, err := Listen(Options{Backend: &backend{}, ListenIntegration: taken})
	require.ErrorContains(t, err, "listening for the API")
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"", "a=b&c=d", "a=%41%zz", "a=%4", "param[0].name=x&param[0].value=y", "a;b=c", "&&=&a",
		"a=b=c", "a=1&a=2", "%00=%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p := Params{}
		if err := ParseQuery(raw, p); err != nil {
			return
		}
		// what was read, written in the usual way, reads the same
		form := url.Values{}
		for k, v := range p {
			form.Set(k, v)
		}
		again := Params{}
		require.NoError(t, ParseQuery(form.Encode(), again))
		require.Equal(t, p, again)
		require.NotPanics(t, func() { Sign(p, "secret") })
		for k := range p.lower() {
			require.Equal(t, strings.ToLower(k), k)
		}
	})
}
