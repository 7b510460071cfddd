package realrouter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}

const name = "r-4-VM"

// standing is a router of the lab with its surroundings, which the command enters as ssh would a real one.
func standing(t *testing.T, release string) (*fleet.Fleet, *Routers) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noSocat := exec.LookPath("socat")
	_, noEnter := exec.LookPath("nsenter")
	if err := errors.Join(noHAProxy, noSocat, noEnter, network.Check()); err != nil {
		t.Skip(err)
	}
	rules, err := router.RulesFor(release)
	require.NoError(t, err)
	f := fleet.New(t.TempDir(), rules, nil)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	template, err := ParseTemplate("nsenter -t {linklocal} -m -n -p unshare -m --mount-proc {command}")
	require.NoError(t, err)
	return f, New(Options{Template: template, Rules: rules, Pushes: f, Clients: Clients{Dialer: through{f},
		Addresses: f.Clients()},
		Place: func(ctx context.Context, name string) (Place, error) {
			files, err := f.Files(ctx, name)
			return Place{Name: name, LinkLocal: fmt.Sprint(files.MasterPID)}, err
		}})
}

// through dials from the fleet's clients.
type through struct{ f *fleet.Fleet }

func (d through) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	return d.f.Connect(ctx, name, from, to)
}

func push(t *testing.T, which int) router.Push {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "conformance", "4.20.0.0", "lb-config-commands.log"))
	require.NoError(t, err)
	n := 0
	for line := range strings.Lines(string(data)) {
		_, text, ok := strings.Cut(line, "[{\""+router.CommandName)
		if !ok {
			continue
		}
		if n++; n <= which {
			continue
		}
		p, err := router.ParsePush([]byte("{\"" + router.CommandName + text[:strings.LastIndex(text, "]")]))
		require.NoError(t, err)
		return p
	}
	t.Fatal("the recording has too few pushes")
	return router.Push{}
}

func TestReadsARouterAsItIs(t *testing.T) {
	f, r := standing(t, "4.20.0.0")
	ctx := t.Context()
	require.NoError(t, f.Push(ctx, name, push(t, 8)))
	want, err := f.Files(ctx, name)
	require.NoError(t, err)
	got, err := r.Files(ctx, name)
	require.NoError(t, err)
	assert.Equal(t, string(want.Live), string(got.Live))
	assert.Equal(t, string(want.New), string(got.New))
	assert.Equal(t, string(want.Serving), string(got.Serving))
	assert.Equal(t, want.Workers, got.Workers)
	assert.Positive(t, got.MasterPID)
	assert.WithinDuration(t, want.RunningSince, got.RunningSince, 3e9)

	ask, err := r.Admin(ctx, name)
	require.NoError(t, err)
	info, err := ask.ShowInfo(ctx)
	require.NoError(t, err)
	assert.NotEmpty(t, info.Version)
	stats, err := ask.ShowStat(ctx)
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, s := range stats {
		sections[s.Proxy] = true
	}
	for section := range router.Listens(got.Live) {
		assert.True(t, sections[section], "section %s is not running", section)
	}
	_, err = ask(ctx, "clear table x")
	require.ErrorContains(t, err, "is not asked")
	_, err = ask(ctx, "show info'; touch /etc/haproxy/written; '")
	require.ErrorContains(t, err, "is not asked")

	w := &watch{r, Place{Name: name, LinkLocal: fmt.Sprint(want.MasterPID)}}
	before, err := w.Mark(ctx)
	require.NoError(t, err)
	again, err := w.Mark(ctx)
	require.NoError(t, err)
	assert.Equal(t, before, again)
	require.NoError(t, f.Push(ctx, name, push(t, 9)))
	after, err := w.Mark(ctx)
	require.NoError(t, err)
	assert.NotEqual(t, before, after, "a push was made")
}

func TestNoHAProxyAndNoFiles(t *testing.T) {
	l, err := parseLook([]byte("Warning: Permanently added\n@live\n@new\n@pid\n@processes\n    1     0   10 " +
		"sh\n@now\n100\n@end\n"))
	require.NoError(t, err)
	f := l.files()
	assert.Nil(t, f.Live)
	assert.Zero(t, f.MasterPID)
	assert.Zero(t, f.Workers)
	_, err = parseLook([]byte("@live\n@new\n"))
	require.ErrorContains(t, err, "cut short")
	_, err = parseLook([]byte("@live\n12\n!!!\n@end\n"))
	require.ErrorContains(t, err, "haproxy.cfg: cannot read its content")
}

// A live file that is younger than the worker was not what the worker read.
func TestServingIsKnownByTimes(t *testing.T) {
	text := func(changed, workerAge int) []byte {
		return fmt.Appendf(nil, "@live\n%d\nYWJj\n@new\n1\nYWJj\n@pid\n7\n@processes\n 7 1 500 haproxy\n 9 7 %d "+
			"haproxy\n 8 7 400 haproxy\n@now\n1000\n@end\n", changed, workerAge)
	}
	for name, c := range map[string]struct {
		changed, age int
		serving      string
	}{"worker after file": {900, 50, "abc"}, "file after worker": {990, 50, ""}, "same second": {950, 50, "abc"}} {
		t.Run(name, func(t *testing.T) {
			l, err := parseLook(text(c.changed, c.age))
			require.NoError(t, err)
			f := l.files()
			assert.Equal(t, c.serving, string(f.Serving))
			assert.Equal(t, 2, f.Workers)
			assert.Equal(t, 7, f.MasterPID)
			assert.Equal(t, int64(500), f.RunningSince.Unix())
		})
	}
}

func TestTemplates(t *testing.T) {
	place := Place{Name: "r-3-VM", Host: "kvm1", LinkLocal: "169.254.1.2", PublicIP: "192.0.2.7"}
	for text, want := range map[string]string{
		"ssh {host} ssh -p 3922 root@{linklocal} {command}": "ssh kvm1 ssh -p 3922 root@169.254.1.2 sh",
		"ssh {{.Host}} ssh -p 3922 {{.LinkLocal}}":          "ssh kvm1 ssh -p 3922 169.254.1.2 sh",
		"docker exec -i {name} {command} -e":                "docker exec -i r-3-VM sh -e",
		"ssh -J {host} root@{publicip}":                     "ssh -J kvm1 root@192.0.2.7 sh",
	} {
		parsed, err := ParseTemplate(text)
		require.NoError(t, err)
		assert.Equal(t, want, strings.Join(parsed.filled(place), " "))
	}
	for text, want := range map[string]string{"": "it is empty", "ssh {linklokal}": "{linklokal}"} {
		_, err := ParseTemplate(text)
		require.ErrorContains(t, err, want)
	}
}

func TestACommandThatFailsIsSaidInOneLine(t *testing.T) {
	template, err := ParseTemplate("sh -c exit_with_a_word_that_is_no_command")
	require.NoError(t, err)
	r := New(Options{Template: template, Place: func(_ context.Context, name string) (Place,
		error) {
		return Place{Name: name}, nil
	}})
	_, err = r.Files(t.Context(), name)
	require.ErrorContains(t, err, "router r-4-VM: sh -c exit_with_a_word_that_is_no_command sh: exit status 127")
	assert.NotContains(t, err.Error(), "\n")
}

func TestDistinctSourcesAreTheBackendsWord(t *testing.T) {
	used := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		sources dataplane.Sources
		method  dataplane.Method
		want    dataplane.Verdict
	}{
		"told all": {dataplane.Sources{Told: 5, Distinct: 5, Bound: 5}, dataplane.BySource,
			dataplane.Sticky},
		"hidden behind an address": {dataplane.Sources{Told: 5, Distinct: 1, Bound: 5}, dataplane.BySource,
			dataplane.Inconclusive},
		"told nothing": {dataplane.Sources{Bound: 5}, dataplane.BySource, dataplane.Inconclusive},
		"the table saw them": {dataplane.Sources{Bound: 5, TableUsed: used(5)}, dataplane.BySource,
			dataplane.Sticky},
		"the table saw fewer": {dataplane.Sources{Bound: 5, TableUsed: used(4)}, dataplane.BySource,
			dataplane.Inconclusive},
		"by cookie": {dataplane.Sources{}, dataplane.ByCookie, dataplane.Sticky},
	} {
		t.Run(name, func(t *testing.T) {
			o := distinct(dataplane.Observation{Verdict: dataplane.Sticky, Clients: 5, Sources: c.sources,
				Method: c.method})
			assert.Equal(t, c.want, o.Verdict, o.Reason)
		})
	}
}
