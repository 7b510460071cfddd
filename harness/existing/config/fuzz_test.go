package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever a file of targets holds, it is read or refused with the file's name, and what was read can be
// checked, and laid over by the environment, without a panic. A secret is in no error.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "targets:\n  a:\n    api: {url: 'http://h/client/api', key: k, secret: CANARY}\n",
		"targets:\n  a:\n    api:\n      url: http://h\n      login: {username: u, password: CANARY, domain: /}\n" +
			"    dsn: 'root:CANARY@tcp(h:3306)/'\n    log: {command: [ssh, h, tail]}\n    router: {mode: shadow}\n",
		"targets: {a: {api: {url: ${X}, key: ${KEY}}}}", "targets: [1]", "targets:\n  a: &a {clock: api}\n  b: *a\n",
		"targets:\n  a:\n    clients: {mode: socks5, vantage: [socks5://u:CANARY@h:1]}\n    groups: [1, 2]\n",
		"a: &a [*a]\n", "targets:\n  ? {}\n  : {}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parse("targets.yaml", data)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "targets.yaml"), "%v", err)
			return
		}
		for _, c := range all {
			c.Environment(func(string) string { return "" })
			_ = c.Check()
			_ = c.Shadows()
			_, _ = c.Options()
		}
	})
}
