package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// zoneSpeed makes a usage window of a minute last a second.
const zoneSpeed = 60

// reached is a zone over TCP in all the ways in which it may be reached.
type reached struct {
	zone   *zone.Zone
	server *database.Server
	admin  *cloud.Client
	log    string
}

func reach(t *testing.T, o zone.Options) reached {
	t.Helper()
	needLab(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "management-server.log"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, log.Close()) })
	if o.ManagementLog == nil {
		o.ManagementLog = log
	}
	o.Release, o.Clock, o.Seed = "4.20.1.0", zone.NewScaled(zoneSpeed), 1
	z, server, admin := standingZone(t, o)
	return reached{z, server, admin, log.Name()}
}

// command is stackproof with no word of the target but the arguments.
func (r reached) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := stackproofCommand(t, t.TempDir(), append(args, "--ledger-dir", t.TempDir())...)
	for _, name := range []string{"CLOUDSTACK_API_URL", "CLOUDSTACK_API_KEY", "CLOUDSTACK_SECRET_KEY",
		"STACKPROOF_CONFIG"} {
		cmd.Env = append(cmd.Env, name+"=")
	}
	return cmd
}

// run runs a scenario with these flags besides.
func (r reached) run(t *testing.T, scenario string, flags ...string) *exec.Cmd {
	t.Helper()
	return r.command(t, append([]string{"run", "--target", "existing", "--scenario", scenario, "--yes", "--clock",
		"api", "--dsn", r.server.ReadOnlyDSN()}, flags...)...)
}

// passes runs a scenario, which must pass and leave nothing.
func passes(t *testing.T, r reached, cmd *exec.Cmd) string {
	t.Helper()
	before, err := inventory.List(t.Context(), r.admin)
	require.NoError(t, err)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "2 passed", "the scenario, and that nothing leaks")
	after, err := inventory.List(t.Context(), r.admin)
	require.NoError(t, err)
	assert.ElementsMatch(t, before, after)
	return string(out)
}

// refused runs a command that cannot work: exit 4, one line that says why.
func refused(t *testing.T, cmd *exec.Cmd, words ...string) {
	t.Helper()
	refusedWith(t, exitCannotRun, cmd, words...)
}

func refusedWith(t *testing.T, code int, cmd *exec.Cmd, words ...string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, string(out))
	assert.Equal(t, code, failed.ExitCode(), string(out))
	for _, word := range words {
		assert.Contains(t, string(out), word)
	}
	assert.Equal(t, 1, strings.Count(string(out), "\n"), "one line: %s", out)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestWaysToAuthenticate reaches one zone with keys, a login, no keys at the integration port, and a profile of cmk.
func TestWaysToAuthenticate(t *testing.T) {
	r := reach(t, zone.Options{})
	login := func(password string) string {
		return file(t, "targets.yaml", "targets:\n  mine:\n    api: {url: '"+r.zone.APIURL()+
			"', login: {username: admin, password: "+password+", domain: /}}\n"+
			"    dsn: '"+r.server.ReadOnlyDSN()+"'\n    clock: api\n    disposable: true\n")
	}
	profile := func(secret string) string {
		return filepath.Dir(filepath.Dir(file(t, ".cmk/config", "profile = mine\n\n[mine]\nurl = "+r.zone.APIURL()+
			"\napikey = "+r.zone.APIKey()+"\nsecretkey = "+secret+"\nverifycert = true\n")))
	}
	t.Run("keys", func(t *testing.T) {
		passes(t, r, r.run(t, "U-01", "--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key",
			r.zone.SecretKey()))
	})
	t.Run("login", func(t *testing.T) {
		out := passes(t, r, r.command(t, "run", "--config", login("password"), "--target", "mine", "--scenario",
			"U-01"))
		assert.NotContains(t, out, "password")
		refused(t, r.command(t, "run", "--config", login("wrong"), "--target", "mine", "--scenario", "U-01"),
			"refuses the keys or the login")
	})
	t.Run("integration port", func(t *testing.T) {
		passes(t, r, r.run(t, "U-01", "--integration", "--api-url", r.zone.IntegrationURL()))
		refused(t, r.run(t, "U-01", "--integration", "--api-url", r.zone.APIURL()), "refuses")
		require.NoError(t, r.admin.Call(t.Context(), "updateConfiguration", cloud.Params{"name": "endpoint.url",
			"value": "http://localhost:1/client/api"}, nil))
		refused(t, r.run(t, "U-01", "--integration", "--api-url", r.zone.IntegrationURL()), "localhost:1", "--user-url")
		passes(t, r, r.run(t, "U-01", "--integration", "--api-url", r.zone.IntegrationURL(), "--user-url",
			r.zone.APIURL()))
	})
	t.Run("cmk", func(t *testing.T) {
		cmd := r.run(t, "U-01", "--cmk", "mine")
		cmd.Env = append(cmd.Env, "HOME="+profile(r.zone.SecretKey()))
		passes(t, r, cmd)
		cmd = r.run(t, "U-01", "--cmk", "mine")
		cmd.Env = append(cmd.Env, "HOME="+profile("nonsense"))
		refused(t, cmd, "refuses the keys")
		cmd = r.run(t, "U-01", "--cmk", "yours")
		cmd.Env = append(cmd.Env, "HOME="+profile(r.zone.SecretKey()))
		refusedWith(t, exitUsage, cmd, "yours", "it has mine")
	})
}

// TestSchedule waits for runs that nobody asks for.
func TestSchedule(t *testing.T) {
	r := reach(t, zone.Options{})
	keys := []string{"--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key", r.zone.SecretKey(),
		"--usage", "schedule"}
	// A server that never had a run waits for its time of day; after one it catches up with each heartbeat.
	out, err := r.run(t, "U-01", keys...).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "no scheduled usage run has come yet")
	_, err = r.zone.RunUsage(t.Context())
	require.NoError(t, err)
	count := func(kind int) (n int) {
		db, err := r.server.Open(t.Context())
		require.NoError(t, err)
		defer func() { assert.NoError(t, db.Close()) }()
		require.NoError(t, db.QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM cloud_usage.usage_job WHERE success = 1 AND job_type = ?", kind).Scan(&n))
		return n
	}
	eventually(t, "a scheduled run", func() (bool, string) { return count(0) > 0, "none" })
	passes(t, r, r.run(t, "U-01", keys...))
	assert.Equal(t, 1, count(1), "none but the first was asked for")
}

// TestCertificates puts TLS in front of the API: its authority is named, or nothing is asked, or it is refused.
func TestCertificates(t *testing.T) {
	r := reach(t, zone.Options{})
	behind, err := url.Parse(r.zone.APIURL())
	require.NoError(t, err)
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(
			&url.URL{Scheme: behind.Scheme, Host: behind.Host})
	}})
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what is wanted
	front.StartTLS()
	t.Cleanup(front.Close)
	ca := file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
	with := func(flags ...string) *exec.Cmd {
		return r.run(t, "U-01", append([]string{"--api-url", front.URL + behind.Path, "--api-key", r.zone.APIKey(),
			"--secret-key", r.zone.SecretKey()}, flags...)...)
	}
	passes(t, r, with("--ca", ca))
	passes(t, r, with("--insecure"))
	refused(t, with(), "certificate is not trusted", "api.ca")
	refused(t, with("--ca", file(t, "other.pem", otherAuthority(t))), "certificate is not trusted")
	refused(t, with("--ca", file(t, "empty.pem", "nothing here")), "empty.pem")
}

// otherAuthority is a certificate that has nothing to do with the front's.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, &form, &form, &key.PublicKey, key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

// TestLogByCommand reads pushes from a program's output, as from tail through ssh.
func TestLogByCommand(t *testing.T) {
	r := reach(t, zone.Options{})
	keys := []string{"--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key", r.zone.SecretKey()}
	passes(t, r, r.run(t, "L-01", append(keys, "--log-command", "tail -n +1 -F "+r.log)...))
	refused(t, r.run(t, "L-01", append(keys, "--log-command", "cat /nowhere/management.log")...),
		"/nowhere/management.log")
}

// TestLogsOfSeveralServers spreads the pushes over the logs of two management servers.
func TestLogsOfSeveralServers(t *testing.T) {
	dir := t.TempDir()
	first, err := os.Create(filepath.Join(dir, "mgmt1.log"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, first.Close()) })
	second, err := os.Create(filepath.Join(dir, "mgmt2.log"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, second.Close()) })
	r := reach(t, zone.Options{ManagementLog: &spread{logs: []io.Writer{first, second}}})
	keys := []string{"--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key", r.zone.SecretKey()}
	passes(t, r, r.run(t, "L-01", append(keys, "--log", first.Name(), "--log", second.Name())...))
	passes(t, r, r.run(t, "L-01", append(keys, "--log", filepath.Join(dir, "mgmt*.log"))...))
}

// spread writes lines to several logs in turns, as management servers that share a router's pushes do, each under its
// own id.
type spread struct {
	logs []io.Writer
	next int
}

func (s *spread) Write(line []byte) (int, error) {
	i := s.next % len(s.logs)
	s.next++
	if i > 0 {
		text := strings.Replace(string(line), "MgmtId: ", "MgmtId: 9", 1)
		if _, err := io.WriteString(s.logs[i], text); err != nil {
			return 0, err
		}
		return len(line), nil
	}
	return s.logs[0].Write(line)
}
