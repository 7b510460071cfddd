package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExposed: a file is named if a key stands in it and others may read it, and only then.
func TestExposed(t *testing.T) {
	const head = "targets:\n  mine:\n    api:\n      url: http://h/client/api\n"
	const socks5 = "    clients: {mode: socks5, socks5: ["
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want bool
	}{
		"a key":                      {head + "      key: k\n      secret: s\n", 0o644, true},
		"a key for the group":        {head + "      key: k\n      secret: s\n", 0o640, true},
		"a key for its owner":        {head + "      key: k\n      secret: s\n", 0o600, false},
		"a key of the environment":   {head + "      secret: ${SECRET}\n", 0o644, false},
		"a login":                    {head + "      login: {username: u, password: p}\n", 0o644, true},
		"a database's password":      {head + "    dsn: 'u:p@tcp(db:3306)/'\n", 0o644, true},
		"that of the environment":    {head + "    dsn: 'u:${P}@tcp(db:3306)/'\n", 0o644, false},
		"a database without one":     {head + "    dsn: 'u@tcp(db:3306)/'\n", 0o644, false},
		"a proxy's password":         {head + socks5 + "'socks5://u:p@h:1080']}\n", 0o644, true},
		"one without a scheme":       {head + socks5 + "'h:1', 'u:p@h:1080']}\n", 0o644, true},
		"one of the environment":     {head + socks5 + "'socks5h://u:${P}@h:1080']}\n", 0o644, false},
		"a proxy of the environment": {head + socks5 + "'${PROXY}']}\n", 0o644, false},
		"proxies without one":        {head + socks5 + "'socks5://u@h:1080', 'h:1']}\n", 0o644, false},
		"an address's password":      {"targets: {mine: {api: {url: 'https://u:p@h/client/api'}}}\n", 0o644, true},
		"another address's":          {"targets: {mine: {api: {user_url: 'http://u:p@h/'}}}\n", 0o644, true},
		"an address's, from outside": {"targets: {mine: {api: {url: 'http://u:${P}@h:1/'}}}\n", 0o644, false},
		"an address without one":     {"targets: {mine: {api: {url: 'http://h:8080/a:b@c'}}}\n", 0o644, false},
		"a file that cannot be read": {"targets: [", 0o644, false},
	} {
		file := filepath.Join(t.TempDir(), "stackproof.yaml")
		require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
		require.NoError(t, os.Chmod(file, c.mode))
		lines := (&Config{}).Exposed(file)
		if !c.want {
			assert.Empty(t, lines, name)
			continue
		}
		require.Len(t, lines, 1, name)
		assert.Contains(t, lines[0], "chmod 600 "+file, name)
	}
	assert.Empty(t, (&Config{}).Exposed(""))
}

// TestExposedProfiles: cmk's file holds keys, and is looked at only if a profile is taken from it.
func TestExposedProfiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte("[mine]\n"), 0o600))
	c := Config{API: API{Cmk: Cmk{File: file, Profile: "mine"}}}
	assert.Empty(t, c.Exposed(""))
	require.NoError(t, os.Chmod(file, 0o644))
	assert.Len(t, c.Exposed(""), 1)
	assert.Empty(t, (&Config{}).Exposed(""))
}
