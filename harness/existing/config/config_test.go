package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T, text string) (map[string]Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "targets.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return Load(file)
}

func TestLoad(t *testing.T) {
	t.Setenv("SP_TEST_SECRET", "s3cret")
	got, err := load(t, `
targets:
  nightly:
    api: {url: "http://mgmt:8080/client/api", key: k, secret: "${SP_TEST_SECRET}"}
    dsn: ro:${SP_TEST_SECRET}@tcp(db:3306)/
    usage: {run: schedule, wait: 7m}
    log: {command: [ssh, mgmt, tail, -n, "+1", -F, /var/log/m.log]}
    router: shadow
    clients: {mode: socks5, socks5: ["10.0.0.1:1080"]}
    disposable: true
    groups: [2, 5]
  live:
    api: {url: "https://cloud.example.org/client/api", login: {username: admin, password: p}}
    log: {file: /var/log/m.log}
    router: {command: "ssh {{.Host}}"}
`)
	require.NoError(t, err)
	n := got["nightly"]
	assert.Equal(t, "s3cret", n.API.Secret)
	assert.Equal(t, Words{"ro:s3cret@tcp(db:3306)/"}, n.DSN)
	assert.Equal(t, Usage{"schedule", 7 * time.Minute}, n.Usage)
	assert.Equal(t, "+1", n.Log.Command[4])
	assert.Equal(t, "shadow", n.Router.Mode)
	assert.Equal(t, []string{"10.0.0.1:1080"}, n.Clients.Socks5)
	assert.True(t, n.Disposable)
	assert.True(t, n.Shadows())
	require.NoError(t, n.check())
	l := got["live"]
	assert.Equal(t, "command", l.Router.Mode)
	assert.False(t, l.Shadows())
	require.NoError(t, l.check())
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key of a target": {"targets: {a: {dns: x}}", `targets.a has no key "dns"; did you mean "dsn"?`},
		"an unknown key further down": {"targets:\n  a:\n    api:\n      secrets: x",
			`line 4: targets.a.api has no key "secrets"; did you mean "secret"?`},
		"an unknown key above": {"target: {}", `the file has no key "target"; did you mean "targets"?`},
		"no YAML":              {"targets: [", "did not find"},
		"a bare ${...} in braces": {"targets:\n  a:\n    # {\n    api: {url: 'http://x/${', key: ${SP_KEY}}",
			`line 4: inside braces ${SP_KEY} needs quotes ("${SP_KEY}") or a line of its own`},
		"a bare ${...} in brackets": {"targets: {a: {dsn: [\"${SP_A}\", ${SP_DSN}]}}",
			`line 1: inside braces ${SP_DSN} needs quotes`},
		"another fault beside ${...}": {"targets:\n  a:\n    dsn: ${SP_DSN}\n    api: {url: x",
			"targets.yaml: yaml: line 3: did not find expected"},
		"nothing":      {"", "is empty"},
		"a wrong type": {"targets: {a: {skew_budget: many}}", "cannot unmarshal"},
		"a secret that is not there": {"targets: {a: {api: {secret: '${SP_TEST_NOT_SET}'}}}",
			"the environment has no SP_TEST_NOT_SET"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	for want, c := range map[string]Config{
		`usage.run: "ondemand" is not one of on-demand, schedule; did you mean "on-demand"?`:          {Usage: Usage{Run: "ondemand"}},
		`router: "shadows" is not one of none, shadow, real-scripts, command; did you mean "shadow"?`: {Router: Router{Mode: "shadows"}},
		"dsn: 3 addresses":               {DSN: Words{"a", "b", "c"}},
		"files or a command, not both":   {Log: Log{File: Words{"a"}, Command: Words{"b"}}},
		"mode command needs a command":   {Router: Router{Mode: "command"}},
		"clock: database needs a dsn":    {Clock: "database"},
		"skew_budget: -1 is negative":    {SkewBudget: -1},
		"parallel: -1 is negative":       {Parallel: -1},
		"each size must be at least 2":   {Groups: []int{1}},
		`clients: "sock5" is not one of`: {Clients: Clients{Mode: "sock5"}},
	} {
		assert.ErrorContains(t, c.check(), want)
	}
}

func TestEnvironmentWinsOverTheFile(t *testing.T) {
	c := Config{API: API{URL: "http://file", Login: Login{Username: "u", Password: "p"}}}
	c.Environment(func(name string) string {
		return map[string]string{"CLOUDSTACK_API_URL": "http://env", "CLOUDSTACK_API_KEY": "k",
			"CLOUDSTACK_SECRET_KEY": "s"}[name]
	})
	assert.Equal(t, API{URL: "http://env", Key: "k", Secret: "s"}, c.API)
	o, err := c.Options()
	require.NoError(t, err)
	assert.Equal(t, "http://env", o.URL)
}
