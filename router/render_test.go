package router

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRenderRecorded renders every recorded command with every release that the recording names.
func TestRenderRecorded(t *testing.T) {
	for _, c := range recordedCases(t) {
		for _, release := range append(c.SameOutputOn, c.Release) {
			t.Run(c.Name+"/"+release, func(t *testing.T) {
				p, err := ParsePush(c.Command)
				require.NoError(t, err)
				rules, err := RulesFor(release)
				require.NoError(t, err)
				got, err := Render(p, rules)
				if c.Exception != "" {
					require.Error(t, err, "the generator threw %s", c.Exception)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, strings.Join(c.Config, "\n"), strings.Join(got.Config, "\n"))
				assert.Equal(t, c.Config, got.Config, "the same lines, but other elements")
				assert.ElementsMatch(t, c.AddRules, got.AddRules)
				assert.ElementsMatch(t, c.RemoveRules, got.RemoveRules)
				assert.ElementsMatch(t, c.StatRules, got.StatRules)
				assert.Equal(t, c.AddRules, got.AddRules, "not the order of a HashSet")
			})
		}
	}
}

// TestRenderUnrecorded holds what the generator's source says and no recording shows.
func TestRenderUnrecorded(t *testing.T) {
	sticky := func(method string, params ...Param) LoadBalancer {
		return LoadBalancer{SrcIP: "192.0.2.1", SrcPort: 8080, Algorithm: "roundrobin",
			Destinations: []Destination{{IP: "10.0.0.1", Port: 8080}},
			Stickiness:   []Stickiness{{Method: method, Params: params}}}
	}
	for _, c := range []struct {
		name string
		lb   LoadBalancer
		want string
	}{
		{"two domains", sticky("lbcookie", Param{Name: "cookie-name", Value: "S"}, Param{Name: "DOMAIN", Value: ".a"},
			Param{Name: "domain", Value: ".b"}),
			"\tcookie S insert  domain .a domain .b  \n"},
		{"all flags in fixed order", sticky("LbCookie", Param{Name: "postonly"}, Param{Name: "nocache"},
			Param{Name: "indirect", Value: "false"}, Param{Name: "mode", Value: "rewrite"},
			Param{Name: "cookie-name", Value: "S"}),
			"\tcookie S rewrite indirect nocache postonly \n"},
		{"prefix", sticky("APPCOOKIE", Param{Name: "request-learn"}, Param{Name: "prefix"},
			Param{Name: "mode", Value: "path-parameters"}, Param{Name: "cookie-name", Value: "J"}),
			"\tappsession J len 52 timeout 3h prefix request-learn mode path-parameters \n"},
		{"source in any case, last value counts", sticky("SOURCEbased", Param{Name: "TableSize", Value: "1k"},
			Param{Name: "tablesize", Value: "2k"}, Param{Name: "expire", Null: true}),
			"\tstick-table type ip size 2k expire null\n\tstick on src\n"},
		{"name without a value", sticky("LbCookie", Param{Name: "cookie-name", Null: true}),
			"\tcookie lbcooki_678219475_8080 insert  \n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Render(Push{MaxConn: "100", LoadBalancers: []LoadBalancer{c.lb}}, Rules{})
			require.NoError(t, err)
			assert.Contains(t, string(r.File()), c.want)
		})
	}
}

func TestRender422(t *testing.T) {
	p := recordedPush(t, "lbcookie-keepalive")
	p.LoadBalancers[0].CIDRList = "10.0.0.0/8"
	rules, err := RulesFor("4.22.0.0")
	require.NoError(t, err)
	r, err := Render(p, rules)
	require.NoError(t, err)
	assert.Contains(t, string(r.File()), strings.Join([]string{
		"listen 192_168_2_5-8080", "\tbind 192.168.2.5:8080", "\tmode http", "\tno option forceclose",
		"\tacl network_allowed src 10.0.0.0/8 ", "\ttcp-request connection reject if !network_allowed",
		"\tbalance roundrobin", "\tserver 192_168_2_5-8080_0 10.0.1.210:8080 check cookie 10_0_1_210-8080", ""}, "\n"))
	assert.Contains(t, string(r.File()), "listen stats_on_public\n\tbind 192.168.2.4:8081\n\tmode http\n\tstats enable")
}

func TestCertificate(t *testing.T) {
	in := `{"loadBalancers":[{"srcIp":"192.0.2.1","srcPort":"443","algorithm":"source","lbProtocol":"ssl",
		"destinations":[{"destIp":"10.0.1.2","destPort":"8080","revoked":"false"}],
		"sslCert":{"cert":"C\r\nC","chain":"H","key":"-----BEGIN PRIVATE KEY-----","revoked":"%s"}}],"maxconn":"1"}`
	for revoked, ends := range map[string]bool{"true": false, "false": true} {
		p, err := ParsePush(fmt.Appendf(nil, in, revoked))
		require.NoError(t, err)
		require.NotNil(t, p.LoadBalancers[0].Certificate)
		assert.True(t, p.LoadBalancers[0].Certificate.KeyLogged)
		assert.NotContains(t, string(p.Raw), "PRIVATE KEY", "nobody shows it")
		assert.Contains(t, string(p.Raw), `"chain":"H"`)
		old, err := Render(p, rulesFor(t, "4.21.0.0"))
		require.NoError(t, err)
		assert.Contains(t, string(old.File()), "\tbind 192.0.2.1:443\n", "the router knows no certificates before 4.22")
		assert.Nil(t, old.Certificates)
		got, err := Render(p, rulesFor(t, "4.22.0.0"))
		require.NoError(t, err)
		section := Listens(got.File())["192_0_2_1-443"]
		assert.Equal(t, ends, strings.Contains(string(got.File()), "\tbind 192.0.2.1:443 ssl crt "))
		assert.Equal(t, "192.0.2.1:443", section.Bind())
		if !ends {
			assert.Empty(t, got.Certificates)
			assert.NotNil(t, got.Certificates, "the router removes what it has")
			continue
		}
		assert.Equal(t, "C\nC\nH\n-----BEGIN PRIVATE KEY-----\n", got.Certificates[0].file())
		options := " ssl-min-ver TLSv1.2 no-tls-tickets ciphers ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-" +
			"SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-GCM-SHA256 " +
			"ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
		assert.Contains(t, string(got.File()), "listen 192_0_2_1-443\n\tbind 192.0.2.1:443 ssl crt "+
			"/etc/cloudstack/ssl/192_0_2_1-443.pem alpn h2,http/1.1"+options+
			"\n\thttp-request add-header X-Forwarded-Proto https\n\tmode http\n\toption httpclose\n\tbalance source\n"+
			"\tserver 192_0_2_1-443_0 10.0.1.2:8080 check"+options+"\n")
	}
}

func TestRenderBefore418(t *testing.T) {
	p := recordedPush(t, "cidr-one")
	rules, err := RulesFor("4.17.2.0")
	require.NoError(t, err)
	r, err := Render(p, rules)
	require.NoError(t, err)
	assert.Contains(t, r.Config, "\toption forceclose")
	assert.NotContains(t, string(r.File()), "admin.sock")
	assert.NotContains(t, string(r.File()), "network_allowed")
}

func TestKeepAliveLeak(t *testing.T) {
	on, off := recordedPush(t, "keepalive-8080"), recordedPush(t, "alg-roundrobin")
	for _, leaks := range []bool{true, false} {
		rules, renderer := Rules{KeepAliveLeaks: leaks}, new(Renderer)
		before, err := renderer.Render(off, rules)
		require.NoError(t, err)
		_, err = renderer.Render(on, rules)
		require.NoError(t, err)
		after, err := renderer.Render(off, rules)
		require.NoError(t, err)
		assert.Contains(t, before.Config, "\toption httpclose")
		if leaks {
			assert.Contains(t, after.Config, "\tno option httpclose")
		} else {
			assert.Equal(t, before, after)
		}
	}
}

func TestRulesFor(t *testing.T) {
	old := Rules{CompareAsSet: true, AlgorithmVerbatim: true, KeepAliveLeaks: true}
	plain := Rules{KeepAliveLeaks: true}
	newest := Rules{KeepAliveLeaks: true, CheckBeforeUse: true, FrontendFirst: true, KeepAliveForceclose: true,
		EndsTLS: true, PlainWithoutCertificate: true, KeepsForwardedProto: true}
	timed := newest
	timed.IdleTimeout, timed.IdleTimeoutKept = true, true
	ancient := old
	ancient.Before418 = true
	for release, want := range map[string]Rules{
		"4.16.0.0": ancient, "4.16.1.0": ancient, "4.17.2.0": ancient, "4.17.99": ancient,
		"4.18.0.0": old, "4.18.2.5": old, "4.19.0.0": old, "4.19.1.0": old, "4.19.1.3": old,
		"4.19.2.0": plain, "4.19.3.0": plain, "4.20": plain, "4.20.0.0": plain, "4.20.2.0": plain, "4.21.0.0": plain,
		"4.22.0.0": newest, "4.22.0.1-SNAPSHOT": newest, "4.22.1.0-SNAPSHOT": timed,
	} {
		got, err := RulesFor(release)
		require.NoError(t, err, release)
		assert.Equal(t, want, got, release)
	}
	for release, want := range map[string]string{
		"4.15.2.0": "nearest known is 4.16.0.0", "3.0": "nearest known is 4.16.0.0",
		"4.23.0.0": "nearest known is main",
		"":         "is not a version", "4": "is not a version", "newest": "is not a version",
		"4.20.0.0.1": "is not a version",
	} {
		_, err := RulesFor(release)
		assert.ErrorContains(t, err, want, release)
	}
}

func TestRenderTo(t *testing.T) {
	log, err := os.ReadFile(conformance("4.20.0.0", "lb-config-commands.log"))
	require.NoError(t, err)
	line, _, _ := bytes.Cut(log, []byte("\n"))
	run := func(in []byte, release string, asJSON bool) (string, error) {
		var out bytes.Buffer
		_, err := RenderTo(&out, in, release, asJSON)
		return out.String(), err
	}
	p, ok, err := ParseLogLine(string(line))
	require.NoError(t, err)
	require.True(t, ok)
	want, err := Render(p, Rules{})
	require.NoError(t, err)
	for name, in := range map[string][]byte{"line": line, "object": p.Raw,
		"wrapper": []byte(`{"` + CommandName + `":` + string(p.Raw) + `}`),
		"array":   []byte(`[{"` + CommandName + `":` + string(p.Raw) + `}]`),
		"case":    []byte(`{"case":"x","command":` + string(p.Raw) + `}`)} {
		text, err := run(in, "4.20.0.0", false)
		require.NoError(t, err, name)
		assert.Equal(t, string(want.File()), text, name)
		text, err = run(in, "4.20.0.0", true)
		require.NoError(t, err, name)
		var got Rendered
		require.NoError(t, json.Unmarshal([]byte(text), &got), name)
		assert.Equal(t, want, got, name)
	}
	text, err := run(log, "4.20.0.0", false)
	require.NoError(t, err)
	pushes, _, err := ReadPushes(bytes.NewReader(log))
	require.NoError(t, err)
	assert.Equal(t, len(pushes), strings.Count(text, "# push "))
	assert.Contains(t, text, "# push 1 of ")
	text, err = run(log, "4.20.0.0", true)
	require.NoError(t, err)
	assert.Equal(t, len(pushes), strings.Count(text, "\n"))
}

func TestRenderToRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, release, want string }{
		"empty":       {" \n", "4.20.0.0", "the input is empty"},
		"other text":  {"hello\n", "4.20.0.0", "neither JSON nor a log"},
		"other JSON":  {`{"a":1}`, "4.20.0.0", "no LoadBalancerConfigCommand in it"},
		"number":      {`7`, "4.20.0.0", "a JSON number"},
		"cut JSON":    {`{"loadBalancers":[`, "4.20.0.0", "not JSON"},
		"bad release": {`{}`, "4.99", "nearest known is main"},
		"bad maxconn": {`{"loadBalancers":[],"maxconn":"x"}`, "4.20.0.0", `maxconn "x" is not a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := RenderTo(&bytes.Buffer{}, []byte(c.in), c.release, false)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func BenchmarkRender50(b *testing.B) {
	p := recordedPush(b, "rules-50")
	for b.Loop() {
		if _, err := Render(p, Rules{}); err != nil {
			b.Fatal(err)
		}
	}
}
