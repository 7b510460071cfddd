package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// clean is the result of a site without damage.
func clean(version string) *Result {
	r := &Result{Site: Site{Fingerprint: "site", Version: version, Taken: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}}
	for _, id := range []string{"U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9", "U10", "U11", "U12", "U13", "L1",
		"L2", "L3", "L5", "L6"} {
		r.Checks = append(r.Checks, Check{ID: id, Title: id, Outcome: Clean, Text: "fine"})
	}
	return r
}

func (r *Result) set(id string, outcome Outcome, text string) {
	for i := range r.Checks {
		if r.Checks[i].ID == id {
			r.Checks[i].Outcome, r.Checks[i].Text, r.Checks[i].Count = outcome, text, r.Checks[i].Count+1
		}
	}
}

func leaked(id int64) Finding {
	return Finding{
		AuditRow: usageprobe.AuditRow{
			Ref:      usageprobe.Ref{Kind: usageprobe.KindLB, ID: id},
			HelperID: id,
			Verdict:  usageprobe.AuditOpenButDead,
		},
		Class: "OPEN_BUT_DEAD",
		Text:  "leaked " + itoa(id),
	}
}

func keyInTheWay(r *Result) {
	r.KeysInTheWay = []string{"counters 1, 2"}
	r.set("U11", Found, r.KeysInTheWay[0])
}

func TestGate(t *testing.T) {
	appCookie := Poison{
		Class:   PoisonAppCookie,
		Rule:    7,
		Routers: []string{"r-4-VM"},
		What:    "an AppCookie",
		Hurts:   hurtsAlways,
	}
	for name, tt := range map[string]struct {
		from, to string
		change   func(*Result)
		goes     bool
		text     string
	}{
		"clean": {"4.20.1.0", "4.22.0.0", nil, true,
			"GO for the upgrade from 4.20.1.0 to 4.22.0.0"},
		"stall of the target is known": {"4.20.1.0", "4.22.1.0", nil, true, "know:   4.22.1.0 stalls its usage server"},
		"poison, loud": {"4.20.1.0", "4.22.1.0", func(r *Result) { r.Poison = []Poison{appCookie} },
			false, "on 1 routers, and port forwarding there with it: r-4-VM"},
		"poison, silent": {"4.19.3.0", "4.20.2.0", func(r *Result) { r.Poison = []Poison{appCookie} },
			true, "know:   L1: appcookie"},
		"poison of the past": {"4.19.1.0", "4.22.0.0", func(r *Result) {
			r.Poison = []Poison{{Class: PoisonCase, Until: "4.19.1.3", Routers: []string{"r"}}}
		}, true, "GO"},
		"protocols are summed up": {"4.20.1.0", "4.22.0.0", func(r *Result) {
			r.Poison = []Poison{{Class: PoisonNoProtocol, Rule: 3, Warning: true, What: "no protocol", Hurts: "job 530",
				From: "4.22.0.0"}, {Class: PoisonNoProtocol, Rule: 4, Warning: true}}
		}, true, "2 rules like 3 (no protocol): job 530"},
		"usage server ill": {"4.19.3.0", "4.20.2.0", func(r *Result) { r.set("U8", Found, "no job for days") },
			false, "blocks: U8: no job for days"},
		"clock wrong": {"4.19.3.0", "4.20.2.0", func(r *Result) { r.set("U12", Found, "an hour ahead") },
			false, "blocks: U12"},
		"a key in the way": {"4.20.1.0", "4.22.0.0", keyInTheWay, false, "blocks: U11: counters 1, 2"},
		"a key in the way of a later upgrade": {"4.20.1.0", "4.20.3.0", keyInTheWay, true,
			"know:   U11: counters 1, 2"},
		"nothing known": {"4.19.3.0", "4.20.2.0",
			func(r *Result) { r.set("U8", Undecidable, "no job at all") }, false, "blocks: U8"},
		"damaged rows": {"4.19.1.0", "4.20.2.0", func(r *Result) { r.Findings = []Finding{leaked(1)} },
			true, "Repair after the upgrade, not before"},
		"target has the fault": {"4.19.1.0", "4.20.0.0", nil, false,
			"release 4.20.0.0 still closes rows by the wrong id"},
		"stalled, not cured": {"4.22.1.0", "4.22.1.1", func(r *Result) { r.Stall = &Stall{Events: 4} }, false,
			"does not widen the key"},
		"stalled, cured": {"4.22.1.0", "4.23.0.0",
			func(r *Result) { r.Stall = &Stall{Events: 4}; r.set("U8", Found, "repeated") }, true,
			"processes the 4 stuck events"},
		"no metering of networks": {"4.18.2.5", "4.19.3.0", nil, true, "usage types 30 and 31 begin"},
		"release not told":        {"", "4.22.0.0", nil, true, "cloud.version does not tell"},
		"policies cannot be read": {"4.20.1.0", "4.22.0.0",
			func(r *Result) { r.set("L1", NotLooked, "not readable") }, false, "blocks: L1: not readable"},
		"backups, a failed upgrade": {"4.20.2.0", "4.21.0.0", nil, true, "#12769"},
	} {
		t.Run(name, func(t *testing.T) {
			r := clean(tt.from)
			if tt.change != nil {
				tt.change(r)
			}
			g, err := MakeGate(r, tt.to)
			require.NoError(t, err)
			require.Equal(t, tt.goes, g.Go, g.Text())
			require.Contains(t, g.Text(), tt.text)
			require.Contains(t, g.Text(), "compare before.json after.json")
		})
	}
	for target, want := range map[string]string{"4.22": "is not of the form", "next": "is not of the form",
		"4.19.1.0": "there is no way back"} {
		_, err := MakeGate(clean("4.20.1.0"), target)
		require.ErrorContains(t, err, want)
	}
}

func TestCompareAudits(t *testing.T) {
	before, after := clean("4.19.1.0"), clean("4.20.1.0")
	before.Findings, after.Findings = []Finding{leaked(1), leaked(2)}, []Finding{leaked(2), leaked(1)}
	after.Site.Taken = after.Site.Taken.Add(time.Hour)
	c, err := Compare(before, after)
	require.NoError(t, err)
	require.False(t, c.Unexplained())
	require.Equal(t, "unchanged", c.Classes[0].Word())
	require.Contains(t, c.Text(), "the release was 4.19.1.0 and is 4.20.1.0")

	for name, tt := range map[string]struct {
		change func(*Result)
		worse  bool
		want   string
	}{
		"grown":                 {func(r *Result) { r.Findings = append(r.Findings, leaked(3)) }, true, "grown"},
		"shrunk":                {func(r *Result) { r.Findings = r.Findings[:1] }, false, "shrunk"},
		"one gone, another new": {func(r *Result) { r.Findings[0] = leaked(4) }, true, "changed"},
		"a check became worse":  {func(r *Result) { r.set("U9", Found, "repeated") }, true, "U9 U9: repeated"},
		"not decided any more": {func(r *Result) { r.set("U8", Undecidable, "no job") }, true,
			"could be decided before"},
		"stands still": {func(r *Result) { r.Stall = &Stall{} }, true, "the usage server stands still since"},
		"poison": {func(r *Result) { r.Poison = []Poison{{Class: "appcookie", Rule: 7}} }, true,
			"L1 appcookie"},
	} {
		t.Run(name, func(t *testing.T) {
			later := *after
			later.Findings, later.Checks = append(
				[]Finding(nil),
				after.Findings...), append(
				[]Check(nil),
				after.Checks...)
			tt.change(&later)
			c, err := Compare(before, &later)
			require.NoError(t, err)
			require.Equal(t, tt.worse, c.Unexplained(), c.Text())
			require.Contains(t, c.Text(), tt.want)
		})
	}
	other := *after
	other.Site.Fingerprint = "elsewhere"
	_, err = Compare(before, &other)
	require.ErrorContains(t, err, "different sites")
	_, err = Compare(after, before)
	require.ErrorContains(t, err, "give the earlier one first")
}

func TestPoison(t *testing.T) {
	rule := func(change func(*balancerRule)) *balancerRule {
		b := &balancerRule{
			id:        1,
			algorithm: "roundrobin",
			protocol:  "tcp",
			start:     80,
			end:       80,
			backends:  2,
			policies:  []policy{parsePolicy(1, "SourceBased", "tablesize=200k&expire=30m&")},
		}
		change(b)
		return b
	}
	sticky := func(method, params string) func(*balancerRule) {
		return func(b *balancerRule) { b.policies = []policy{parsePolicy(4, method, params)} }
	}
	for name, tt := range map[string]struct {
		change func(*balancerRule)
		want   string
	}{
		"sound":                 {func(*balancerRule) {}, ""},
		"AppCookie":             {sticky("AppCookie", "cookie-name=x&"), PoisonAppCookie},
		"unknown algorithm":     {func(b *balancerRule) { b.algorithm = "foo" }, PoisonAlgorithm},
		"algorithm in capitals": {func(b *balancerRule) { b.algorithm = "Source" }, PoisonCase},
		"no table":              {sticky("SourceBased", "tablesize=0k&"), PoisonTableSize},
		"table is no number":    {sticky("SourceBased", "tablesize=big&"), PoisonTableSize},
		"expires late":          {sticky("SourceBased", "expire=30d&"), PoisonExpire},
		"expires in 24 days":    {sticky("SourceBased", "expire=24d&"), ""},
		"expires in ms, late":   {sticky("SourceBased", "expire=2147483648&"), PoisonExpire},
		"expires never":         {sticky("SourceBased", "expire=never&"), PoisonExpire},
		"cookie":                {sticky("LbCookie", "cookie-name=SRV&mode=insert&nocache=null&"), ""},
		"cookie rewritten":      {sticky("LbCookie", "mode=rewrite&indirect=null&"), PoisonCookieMode},
		"cookie mode":           {sticky("LbCookie", "mode=append&"), PoisonCookieMode},
		"unknown method":        {sticky("Magic", ""), PoisonMethod},
		"two policies": {func(b *balancerRule) { b.policies = append(b.policies, b.policies[0]) },
			PoisonTwoPolicies},
		"keep-alive and cookie": {func(b *balancerRule) { b.keepAlive = true; sticky("LbCookie", "")(b) },
			PoisonKeepAlive},
		"keep-alive and ssl":    {func(b *balancerRule) { b.keepAlive, b.certificate = true, true }, PoisonKeepAlive},
		"keep-alive and source": {func(b *balancerRule) { b.keepAlive = true }, ""},
		"protocol in capitals":  {func(b *balancerRule) { b.protocol = "TCP" }, PoisonProtocol},
		"no protocol":           {func(b *balancerRule) { b.protocol = "" }, PoisonNoProtocol},
		"ssl without cert":      {func(b *balancerRule) { b.protocol = "ssl" }, PoisonPlainSSL},
		"encrypted key": {func(b *balancerRule) { b.protocol, b.certificate, b.encrypted = "ssl", true, true },
			PoisonEncryptedKey},
		"port 0":               {func(b *balancerRule) { b.start, b.end = 0, 0 }, PoisonPort},
		"a range of ports":     {func(b *balancerRule) { b.end = 90 }, PoisonPort},
		"the statistics' port": {func(b *balancerRule) { b.start, b.end = 8081, 8081 }, PoisonPort},
		"internal, with commas": {func(b *balancerRule) { b.cidr, b.scheme = "10.0.0.0/8,192.168.0.0/16", "Internal" },
			PoisonCIDR},
		"public, with commas": {func(b *balancerRule) { b.cidr, b.scheme = "10.0.0.0/8,192.168.0.0/16", "Public" },
			""},
	} {
		t.Run(name, func(t *testing.T) {
			var classes []string
			for _, f := range rule(tt.change).poisoned() {
				classes = append(classes, f.class)
				require.NotEmpty(t, f.hurts)
			}
			require.Equal(t, tt.want, strings.Join(classes, " "))
		})
	}
}
