package ledger_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("LEDGER_TEST_WRITER"); dir != "" {
		write(dir)
	}
	os.Exit(testhome.Around(m).Run())
}

// write creates objects for ever, saying each after it was noted: what a call would do.
func write(dir string) {
	l, err := ledger.Create(dir, "t", "http://127.0.0.1:1/client/api")
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("%s-vm-%d", l.Prefix(), i)
		entry, err := l.Intend("vm", name, "acct")
		if err != nil {
			panic(err)
		}
		fmt.Println(name)
		if err := l.Created(entry, fmt.Sprintf("uuid-%d", i), int64(i)); err != nil {
			panic(err)
		}
	}
}

func only(t *testing.T, dir string) string {
	t.Helper()
	files, err := ledger.List(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	return files[0]
}

// Whatever was about to be created when the process was killed is in its ledger, whose lock the kernel gave back.
func TestKilledWriterHasNotedWhatItSaid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LEDGER_TEST_WRITER="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		said := map[string]bool{}
		lines := bufio.NewScanner(out)
		for n := 1 + rng.IntN(40); n > 0 && lines.Scan(); n-- {
			said[lines.Text()] = true
		}
		file := only(t, dir)
		_, err = ledger.Dead(file)
		require.ErrorIs(t, err, ledger.ErrLive)
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() {
			said[lines.Text()] = true
		}
		_ = cmd.Wait()
		record, err := ledger.Dead(file)
		require.NoError(t, err)
		for _, e := range record.Open() {
			delete(said, e.Name)
		}
		assert.Empty(t, said, "created but not noted")
		require.NoError(t, record.Release(true))
		assert.NoFileExists(t, file)
	}
}

func TestACutLineWasNoCall(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Create(dir, "t", "http://user:pa55word@h:8080/client/api?apikey=KEY")
	require.NoError(t, err)
	entry, err := l.Intend("vpc", "v", "a")
	require.NoError(t, err)
	require.NoError(t, l.Created(entry, "ABC", 7))
	_, err = l.Intend("vm", "m", "a")
	require.NoError(t, err)
	data, err := os.ReadFile(l.Path())
	require.NoError(t, err)
	assert.NotContains(t, string(data), "pa55word")
	assert.NotContains(t, string(data), "KEY")
	lines := strings.SplitAfter(string(data), "\n")
	for cut := range len(data) {
		copied := filepath.Join(t.TempDir(), "x.jsonl")
		require.NoError(t, os.WriteFile(copied, data[:cut], 0o600))
		record, err := ledger.Dead(copied)
		require.NoError(t, err, "cut at %d", cut)
		whole := strings.Count(string(data[:cut]), "\n")
		want := 0
		for _, line := range lines[:whole] {
			if strings.Contains(line, `"intend"`) {
				want++
			}
		}
		assert.Len(t, record.Open(), want, "cut at %d", cut)
		require.NoError(t, record.Release(false))
	}
	require.Error(t, l.Close(), "something may be left")
	assert.FileExists(t, l.Path())
}

func TestCloseRemovesALedgerWithNothingLeft(t *testing.T) {
	for name, settle := range map[string]func(l *ledger.Ledger) error{
		"removed by id":    func(l *ledger.Ledger) error { return l.Removed("abc") },
		"gone by account":  func(l *ledger.Ledger) error { return l.Gone("a") },
		"account goes too": func(l *ledger.Ledger) error { return l.Gone("a") },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ledger.Create(filepath.Join(t.TempDir(), "new", "folder"), "t", "http://h/client/api")
			require.NoError(t, err)
			entry, err := l.Intend("vpc", "v", "a")
			require.NoError(t, err)
			require.NoError(t, l.Created(entry, "ABC", 7))
			if name == "account goes too" {
				account, err := l.Intend("account", "a", "a")
				require.NoError(t, err)
				require.NoError(t, l.Created(account, "DEF", 8))
			}
			require.NoError(t, settle(l))
			require.NoError(t, l.Close())
			assert.NoFileExists(t, l.Path())
			require.NoError(t, l.Close(), "twice is fine")
		})
	}
}

// What may still be committed stays open: the server may be slower than whoever waited for its answer.
func TestUnknownOutcomesStayOpen(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, l *ledger.Ledger, domain, account int)
		open []string
	}{
		"the account was looked for in vain": {func(t *testing.T, l *ledger.Ledger, domain, _ int) {
			require.NoError(t, l.Created(domain, "D", 0))
			require.NoError(t, l.Gone("sp-acct"))
		}, []string{"sp-domain", "sp-acct"}},
		"the server turned it down": {func(t *testing.T, l *ledger.Ledger, domain, account int) {
			require.NoError(t, l.Created(domain, "D", 0))
			require.NoError(t, l.Refused(account))
			require.NoError(t, l.Gone("sp-acct"))
		}, []string{"sp-domain"}},
		"it is there, then gone": {func(t *testing.T, l *ledger.Ledger, _, account int) {
			require.NoError(t, l.Created(account, "A", 0))
			require.NoError(t, l.Gone("sp-acct"))
		}, []string{"sp-domain"}},
		"its domain is gone": {func(t *testing.T, l *ledger.Ledger, domain, _ int) {
			require.NoError(t, l.Created(domain, "D", 0))
			require.NoError(t, l.Gone("sp-acct"))
			require.NoError(t, l.Gone("sp-domain"))
		}, nil},
		"the domain itself is not known": {func(t *testing.T, l *ledger.Ledger, _, _ int) {
			require.NoError(t, l.Gone("sp-domain"))
		}, []string{"sp-domain"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ledger.Create(t.TempDir(), "t", "http://h/client/api")
			require.NoError(t, err)
			domain, err := l.Intend(ledger.Domain, "sp-domain", "")
			require.NoError(t, err)
			account, err := l.Intend(ledger.Account, "sp-acct", "sp-acct")
			require.NoError(t, err)
			vpc, err := l.Intend("vpc", "sp-vpc", "sp-acct")
			require.NoError(t, err)
			require.NoError(t, l.Created(vpc, "V", 0))
			c.do(t, l, domain, account)
			require.NoError(t, l.Refused(vpc), "what is in an account is of no interest here")
			accounts, objects, err := l.Open()
			require.NoError(t, err)
			assert.Len(t, c.open, objects)
			err = l.Close()
			if c.open == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "may be left")
			record, err := ledger.Dead(l.Path())
			require.NoError(t, err)
			defer func() { require.NoError(t, record.Release(true)) }()
			var names []string
			for _, e := range record.Open() {
				names = append(names, e.Name)
			}
			assert.Equal(t, c.open, names)
			open, until := record.Unsettled(time.Now())
			if accounts > 0 {
				require.NotEmpty(t, open)
				assert.Equal(t, "sp-acct", open[len(open)-1].Name)
				assert.WithinDuration(t, time.Now().Add(ledger.DefaultLate), until, time.Minute)
			}
			open, _ = record.Unsettled(time.Now().Add(ledger.DefaultLate))
			assert.Empty(t, open, "nothing is on its way for ever")
		})
	}
}

// After as long as a server may be late that, nothing found is nothing there.
func TestUnknownOutcomesAreSettledByTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"ledger":1,"run":"sp"}
{"op":"intend","entry":1,"kind":"account","name":"a","account":"a","at":"2026-01-01T00:00:00Z"}
{"op":"intend","entry":2,"kind":"account","name":"b","account":"b","at":"2026-01-01T00:00:00Z"}
{"op":"gone","account":"a","at":"2026-01-01T00:00:59Z"}
{"op":"gone","account":"b","at":"2026-01-01T00:01:00Z"}
`), 0o600))
	record, err := ledger.Dead(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, record.Release(true)) }()
	assert.Len(t, record.Open(), 2, "25 minutes by default")
	record.Late = time.Minute
	require.Len(t, record.Open(), 1)
	assert.Equal(t, "a", record.Open()[0].Name)
	open, until := record.Unsettled(time.Date(2026, 1, 1, 0, 0, 59, 0, time.UTC))
	assert.Len(t, open, 1)
	assert.Equal(t, time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC), until)
}

func TestBadLedgers(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"other version": {`{"ledger":2}` + "\n", "version 2, this program reads 1"},
		"no json":       {"hello\n", ":1: not a line of a ledger"},
		"unknown op": {`{"ledger":1}` + "\n" + `{"op":"dance"}` + "\n",
			`:2: not a line of a ledger: unknown op "dance"`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.jsonl")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			_, err := ledger.Dead(file)
			require.ErrorContains(t, err, c.want)
		})
	}
	none, err := ledger.List(filepath.Join(t.TempDir(), "no"))
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestRunsHaveNamesOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 20 {
		l, err := ledger.Create(dir, "t", "http://h/client/api")
		require.NoError(t, err)
		assert.False(t, seen[l.Prefix()])
		seen[l.Prefix()] = true
		require.NoError(t, l.Close())
	}
}
