package cloud_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/cloud"
)

func TestOptions(t *testing.T) {
	noCert := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(noCert, []byte("nothing"), 0o600))
	for _, tt := range []struct {
		opts cloud.Options
		text string
	}{
		{cloud.Options{APIKey: "k", SecretKey: "s"}, "no API URL given"},
		{cloud.Options{URL: "cloud.example.org", APIKey: "k", SecretKey: "s"}, `"cloud.example.org" is not an API URL`},
		{cloud.Options{URL: "ftp://h/client/api", APIKey: "k", SecretKey: "s"}, "is not an API URL"},
		{cloud.Options{URL: "http://a:b@h/", APIKey: "k", SecretKey: "s"}, "carries a user and password"},
		{cloud.Options{URL: "http://h"}, "no way to authenticate"},
		{cloud.Options{URL: "http://h", APIKey: "k"}, "without a secret key"},
		{cloud.Options{URL: "http://h", SecretKey: "s"}, "without an API key"},
		{cloud.Options{URL: "http://h", Username: "u"}, "without a password"},
		{cloud.Options{URL: "http://h", Password: "p"}, "without a username"},
		{cloud.Options{URL: "http://h", APIKey: "k", SecretKey: "s", Integration: true}, "more than one way"},
		{cloud.Options{URL: "https://h", APIKey: "k", SecretKey: "s", CAFile: noCert}, "holds no PEM certificate"},
		{cloud.Options{URL: "https://h", APIKey: "k", SecretKey: "s", CAFile: noCert + "x"}, "no such file"},
	} {
		_, err := cloud.New(tt.opts)
		require.ErrorContains(t, err, tt.text)
	}
	for url, want := range map[string]string{
		"http://h:8080": "http://h:8080/client/api", "http://h/": "http://h/client/api",
		"https://h/my/api": "https://h/my/api",
	} {
		c, err := cloud.New(cloud.Options{URL: url, Integration: true})
		require.NoError(t, err)
		require.Equal(t, want, c.URL())
	}
}

func TestParamsThatCannotBeSent(t *testing.T) {
	c, err := cloud.New(cloud.Options{URL: "http://127.0.0.1:1", Integration: true})
	require.NoError(t, err)
	require.ErrorContains(t, c.Call(t.Context(), "listZones", cloud.Params{"id": 1.5}, nil),
		"listZones: parameter id: a float64 cannot be sent")
	require.ErrorContains(t, c.Call(t.Context(), "", nil, nil), "without a command")
}

func TestProfileFromCmk(t *testing.T) {
	const config = "\ufeffprompt = x\nprofile = second\n[core]\nasyncblock = true\n# a comment\n[first]\nURL = " +
		"http://h1:8080/client/api\napikey=a=b;c#d\nsecretkey = \"s\"\nverifycert = false\n\n" +
		"[second]\nurl = https://h2\nusername = admin\npassword = pass word\ndomain = /reg\napikey =\nsecretkey " +
		"=\n[half]\nurl = http://h\napikey = k\n[none]\nurl = http://h\n[nourl]\napikey = k\nsecretkey = s\n"
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	got, err := cloud.ProfileFromCmk(path, "first")
	require.NoError(t, err)
	require.Equal(t, cloud.Options{URL: "http://h1:8080/client/api", APIKey: "a=b;c#d", SecretKey: "s", Insecure: true},
		got)
	require.NoError(t, os.WriteFile(path+"2", []byte("[core]\nprofile: local ; the one in use\n[local] \nurl: "+
		"http://h1:8080/client/api ; ours\napikey: k # old: j\nsecretkey: `s;#` ; quoted\n"), 0o600))
	got, err = cloud.ProfileFromCmk(path+"2", "")
	require.NoError(t, err)
	require.Equal(t, cloud.Options{URL: "http://h1:8080/client/api", APIKey: "k", SecretKey: "s;#"}, got)
	got, err = cloud.ProfileFromCmk(path, "")
	require.NoError(t, err)
	require.Equal(t, cloud.Options{URL: "https://h2/client/api", Username: "admin", Password: "pass word",
		Domain: "/reg"}, got)
	for profile, text := range map[string]string{
		"third": `has no profile "third": it has first, half, none, nourl, second`,
		"core":  `has no profile "core"`,
		"half":  "profile half: it has only one of apikey and secretkey",
		"none":  "profile none: it has neither apikey and secretkey nor username and password",
		"nourl": "profile nourl: cloud: no API URL given",
	} {
		_, err := cloud.ProfileFromCmk(path, profile)
		require.ErrorContains(t, err, text)
	}
	for content, text := range map[string]string{
		"[a\n":          "line 1: a section without its closing bracket",
		"[a]\n\nnoise ": "line 3: neither a section nor key = value",
		"":              "it has none",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := cloud.ProfileFromCmk(path, "a")
		require.ErrorContains(t, err, text)
	}
	_, err = cloud.ProfileFromCmk(path+"x", "")
	require.ErrorContains(t, err, "there is no cmk configuration")
}

// The management server closes unused connections after 30 s; ours must be gone well before.
func TestConnectionsAreDroppedBeforeTheServerDoes(t *testing.T) {
	c, err := cloud.New(cloud.Options{URL: "http://127.0.0.1:1", APIKey: "k", SecretKey: "s"})
	require.NoError(t, err)
	require.Positive(t, cloud.IdleFor(c))
	require.LessOrEqual(t, cloud.IdleFor(c), 15*time.Second)
}
