package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/config"
)

var update = flag.Bool("update", false, "write the golden files")

// TestEverySettingIsThere: the table names no flag and no key that nothing reads.
func TestEverySettingIsThere(t *testing.T) {
	run := runCommand()
	keys := keysOf(reflect.TypeFor[config.Config](), "")
	for _, s := range settings() {
		if s.flag != "" {
			f := run.Flags().Lookup(s.flag)
			require.NotNil(t, f, s.flag)
			assert.Empty(t, s.what, "%s: its flag says what it is", s.flag)
			assert.Equal(t, s.env != "", strings.Contains(f.Usage, "(or $"), s.flag)
		} else {
			assert.NotEmpty(t, s.what, s.key)
		}
		if s.key != "" {
			assert.Contains(t, keys, s.key)
		}
	}
	for _, key := range keys {
		assert.True(t, slices.ContainsFunc(settings(), func(s setting) bool { return s.key == key }),
			"no setting names the key %s", key)
	}
}

// keysOf are the keys of a structure that have no keys below.
func keysOf(in reflect.Type, path string) (keys []string) {
	for i := range in.NumField() {
		f := in.Field(i)
		name := strings.TrimSuffix(f.Tag.Get("yaml"), ",inline")
		full := strings.TrimPrefix(path+"."+name, ".")
		if name == "" {
			full = path
		}
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, full)...)
		} else {
			keys = append(keys, full)
		}
	}
	return keys
}

// laid parses flags and lays them over a target that a file could have.
func laid(t *testing.T, conf config.Config, args ...string) config.Config {
	t.Helper()
	var f existingFlags
	c := &cobra.Command{Use: "test"}
	f.add(c)
	require.NoError(t, c.ParseFlags(args))
	require.NoError(t, f.over(c, &conf))
	return conf
}

func TestFlagsAreLaidOverATarget(t *testing.T) {
	got := laid(t, config.Config{}, "--api-url", "http://a", "--api-key", "null", "--secret-key", "12", "--user-url",
		"u", "--ca", "c", "--insecure",
		"--dsn", "one", "--dsn", "two", "--log", "true", "--usage", "schedule", "--clients", "shadow",
		"--router-profile", "4.20",
		"--clock", "api", "--zone", "~", "--skew-budget", "7", "--parallel", "3", "--groups", "2,50", "--keep-limits",
		"--disposable", "--router", "shadow")
	assert.Equal(t, config.Config{
		API: config.API{URL: "http://a", Key: "null", Secret: "12", UserURL: "u", CA: "c", Insecure: true},
		DSN: config.Words{"one", "two"}, Log: config.Log{File: config.Words{"true"}},
		Usage:   config.Usage{Run: "schedule"},
		Clients: config.Clients{Mode: "shadow"}, RouterProfile: "4.20", Clock: "api", Zone: "~", SkewBudget: 7,
		Parallel: 3, Groups: []int{2, 50},
		KeepLimits: true, Disposable: true, Router: config.RouterOf("shadow"),
	}, got)
}

// TestFlagsLeaveTheRest: what no flag names stays as the file has it.
func TestFlagsLeaveTheRest(t *testing.T) {
	file := config.Config{API: config.API{URL: "u", Key: "k", Secret: "s", CA: "c"}, Zone: "z",
		Log:     config.Log{Command: config.Words{"tail"}},
		Clients: config.Clients{Mode: "socks5", Socks5: []string{"a:1"}}}
	assert.Equal(t, file, laid(t, file))
	want := file
	want.Zone = "other"
	assert.Equal(t, want, laid(t, file, "--zone", "other"))
	want = file
	want.Log = config.Log{File: config.Words{"f"}}
	assert.Equal(t, want, laid(t, file, "--log", "f"), "files take a command back")
	want = file
	want.API = config.API{URL: "u", CA: "c", Integration: true}
	assert.Equal(t, want, laid(t, file, "--integration"), "the integration port takes no keys")
	want = file
	want.API = config.API{URL: "v", CA: "c", Cmk: config.Cmk{Profile: "p"}}
	assert.Equal(t, want, laid(t, file, "--cmk", "p", "--api-url", "v"), "a profile has keys of its own")
}

// TestVariablesAreRead: the variables that the table names for a target's API are those that a target reads.
func TestVariablesAreRead(t *testing.T) {
	for _, s := range settings() {
		if !strings.HasPrefix(s.env, "CLOUDSTACK_") {
			continue
		}
		var conf config.Config
		conf.Environment(func(name string) string {
			if name == s.env {
				return "given"
			}
			return ""
		})
		assert.NotEqual(t, config.Config{}, conf, s.env)
	}
}

// TestReferenceOfSettings is docs/configuration.md.
func TestReferenceOfSettings(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "configuration.md")
	got := "# Settings\n\nA target of the `--config` file is read first, then the environment, then flags; the " +
		"later wins.\n" +
		"`stackproof help configuration` prints this table.\n\n" + configuration(runCommand())
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./cmd/stackproof -run TestReferenceOfSettings -update writes it anew")
}

// printed runs the command and gives its exit code and what it printed.
func printed(args ...string) (int, string) {
	var out bytes.Buffer
	code := run(args, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// TestHelpShowsTheCommonFlags: a page that a person reads, with the way to the other flags.
func TestHelpShowsTheCommonFlags(t *testing.T) {
	code, text := printed("run", "--help")
	require.Equal(t, exitOK, code)
	assert.Contains(t, text, "--scenario")
	assert.NotContains(t, text, "--api-url")
	common := 0
	flagsOf(runCommand(), "").VisitAll(func(*pflag.Flag) { common++ })
	assert.LessOrEqual(t, common, 12, "the common dozen")
	for _, g := range groupsOf(runCommand()) {
		assert.Contains(t, text, g.what)
		code, group := printed("help", "run", g.name)
		require.Equal(t, exitOK, code)
		flagsOf(runCommand(), g.name).VisitAll(func(f *pflag.Flag) { assert.Contains(t, group, "--"+f.Name+" ") })
		assert.NotContains(t, group, "--scenario ")
	}
	code, all := printed("help", "run", "all")
	require.Equal(t, exitOK, code)
	runCommand().Flags().VisitAll(func(f *pflag.Flag) { assert.Contains(t, all, "--"+f.Name+" ") })
}

func TestHelpOfWhatIsNotThere(t *testing.T) {
	for _, one := range []struct{ args, want string }{
		{"help run exsting", `did you mean "existing"?`}, {"help rn", `"rn" is not a command; did you mean "run"?`},
		{"help run lab shards", "no group of flags"},
	} {
		code, text := printed(strings.Fields(one.args)...)
		assert.Equal(t, exitUsage, code, one.args)
		assert.Contains(t, text, one.want)
	}
}

// TestEveryGroupIsKnown: a misspelt group would make its flags common ones.
func TestEveryGroupIsKnown(t *testing.T) {
	for _, c := range []*cobra.Command{runCommand(), doctorCommand(), cleanupCommand(), zoneDeployCommand()} {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			for _, name := range f.Annotations[groupMark] {
				assert.Equal(t, name, groupOf(f).name, f.Name)
			}
		})
	}
}
