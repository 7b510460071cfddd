package routers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// HAProxyCheck is a router's own check of its HAProxy. It compares ports, members and algorithms of the live file, and
// no stick line (haproxy_check.py@4.20.0.0): green or red, no verdict here rests on it.
const HAProxyCheck = "haproxy_check.py"

// health are the newest results of the router's own checks, by name; they are shown beside the verdict.
func (t RouterLooks) health(n *objects.Network) (green map[string]bool, details string) {
	routers, err := t.site.Cloud.ListRouters(t.ctx, cloud.Params{"name": n.Router()})
	t.Must(err, "listing router %s", n.Router())
	if len(routers) != 1 {
		t.Inconclusive("router %s is listed %d times", n.Router(), len(routers))
	}
	var answer struct {
		Results struct {
			Checks []struct {
				Name    string `json:"checkname"`
				Success bool   `json:"success"`
				Details string `json:"details"`
			} `json:"healthchecks"`
		} `json:"routerhealthchecks"`
	}
	if t.site.Checks == harness.ChecksNotRun {
		t.Unsupported("the tree's own %s is not run on router %s: "+
			"what the zone answers for it says nothing of the tree", HAProxyCheck, n.Router())
	}
	t.Must(t.site.Cloud.Call(t.ctx, "getRouterHealthCheckResults", cloud.Params{"routerid": routers[0].Id}, &answer),
		"getRouterHealthCheckResults")
	green = map[string]bool{}
	text := stage.Table("check\tgreen\tdetails", func(row func(...any)) {
		for _, c := range answer.Results.Checks {
			green[c.Name] = c.Success
			row(c.Name, c.Success, strings.TrimSpace(c.Details))
		}
	})
	if _, ok := green[HAProxyCheck]; !ok {
		t.Unsupported("router %s has no result of %s: it runs no health checks", n.Router(), HAProxyCheck)
	}
	title := "health checks of " + n.Router() + ", beside the verdict"
	if t.site.Checks == harness.ChecksOfModel {
		title += " (the zone's model of " + HAProxyCheck + ", which looks at rules, not at a router)"
	}
	t.Show(result.Evidence{Kind: result.KindTable, Title: title, Text: text})
	return green, text
}

// ExpectHealthy expects that a router whose rules are all in force is green to its own check.
func (t RouterLooks) ExpectHealthy(n *objects.Network) {
	defer t.Step("health checks of the router")()
	t.Checked(1)
	if green, details := t.health(n); !green[HAProxyCheck] {
		t.Fail(result.HealthAlarm, fmt.Sprintf("router %s has its rules in force, but its %s alarms", n.Router(),
			HAProxyCheck), result.Evidence{Kind: result.KindNote, Title: "what the check says", Text: details})
	}
}

// RequireHealthy makes sure that the check does not alarm before anything is changed.
func (t RouterLooks) RequireHealthy(n *objects.Network) {
	defer t.Step("health checks of the router")()
	if green, details := t.health(n); !green[HAProxyCheck] {
		t.Inconclusive("the %s of router %s alarms already: %s", HAProxyCheck, n.Router(), details)
	}
}

// ReportFalseAlarm reports a check that is red although the rules are in force, for a reason that every release has.
func (t RouterLooks) ReportFalseAlarm(n *objects.Network, why, source string) {
	defer t.Step("health checks of the router")()
	green, _ := t.health(n)
	if t.site.Checks == harness.ChecksOfModel {
		why = "in the zone's model, " + why
	}
	t.KnownDefect(!green[HAProxyCheck], why, source)
}

// Reloads is how often the network's router has reloaded HAProxy.
func (t RouterLooks) Reloads(n *objects.Network) int {
	files, _ := t.filesOf(n.Router())
	return files.Reloads
}

// ExpectReloads expects exactly so many reloads since the count before: each empties the stick tables (LB-9).
func (t RouterLooks) ExpectReloads(n *objects.Network, before, want int) {
	t.Checked(1)
	if got := t.Reloads(n) - before; got != want {
		t.Fail(result.ReloadCount, fmt.Sprintf("router %s reloaded HAProxy %d times, want %d: each reload loses "+
			"every source table", n.Router(), got, want))
	}
}

// ExpectSameFiles expects that two routers have the same listen sections, but for the routers' own addresses.
func (t RouterLooks) ExpectSameFiles(one, other string) {
	defer t.Step("%s and %s have the same rules", one, other)()
	t.Checked(1)
	a, _ := t.filesOf(one)
	b, _ := t.filesOf(other)
	rules := func(f router.Files) string {
		var text strings.Builder
		for _, s := range router.Sections(f.Live) {
			if s.Kind == "listen" && !s.Statistics() {
				fmt.Fprintf(&text, "%s\n", s.Name)
				for _, line := range s.Lines {
					fmt.Fprintf(&text, "  %s\n", strings.Join(strings.Fields(line), " "))
				}
			}
		}
		return text.String()
	}
	if x, y := rules(a), rules(b); x != y {
		t.Fail(result.RoutersDiffer, fmt.Sprintf("redundant routers %s and %s have different rules", one, other),
			result.Evidence{Kind: result.KindNote, Title: one, Text: x}, result.Evidence{Kind: result.KindNote,
				Title: other, Text: y})
	}
}

// ExpectInForce expects that the network's router has what the newest push renders to: live file and running process,
// rule by rule and in order (I10). Blanks do not count: they collapse in a push that is part of a bulk command.
func (t RouterLooks) ExpectInForce(n *objects.Network) {
	defer t.Step("router against its newest push")()
	t.ExpectInForceOn(n.Router())
}

// ExpectInForceOn is ExpectInForce for one of several routers.
func (t RouterLooks) ExpectInForceOn(name string) {
	t.Checked(1)
	files, rendered := t.filesOf(name)
	if class, why := t.forceFault(files, rendered); why != "" {
		diff := router.DiffText(rendered.File(), files.Live)
		t.drawDifferences(name, files, rendered)
		t.Fail(class, fmt.Sprintf("router %s: %s", name, why), result.Evidence{Kind: result.KindFileDiff,
			Title: "haproxy.cfg, per section: + as the newest push renders it, - as it is live", Text: diff})
		return
	}
	ending(t).expectProxies(name, files)
}

func (t RouterLooks) filesOf(name string) (router.Files, router.Rendered) {
	t.reached(name)
	files, err := t.aliveFiles(name)
	t.Must(err, "reading the files of router %s", name)
	rendered, err := t.site.Routers.Rendered(t.ctx, name)
	t.Must(err, "rendering the newest push of router %s", name)
	return files, rendered
}

// aliveFiles are a router's files. An HAProxy that somebody killed says nothing of the release.
func (t RouterLooks) aliveFiles(name string) (router.Files, error) {
	files, err := t.site.Routers.Files(t.ctx, name)
	if err == nil && files.Killed {
		err = errors.New("HAProxy was killed, and not by a push")
	}
	return files, err
}

// reached ends the scenario as failed when no push has reached a router of which something is expected: whatever rules
// the API lists, it has none.
func (t RouterLooks) reached(name string) {
	if _, ok := t.newestPush(name); !ok {
		t.FailNow(result.PushCount, fmt.Sprintf("no push has reached router %s", name))
	}
}

// forceFault says in what a router is not at its newest push, and of which class that is; empty when it is at it.
func (t RouterLooks) forceFault(files router.Files, rendered router.Rendered) (class result.Class, why string) {
	leaks := release.Where(release.KeepAliveLeaks).Contains(t.site.Release) &&
		(len(t.on.KeepAlive()) > 0 || t.site.Journal == nil)
	if why := FileFault(rendered.File(), files.Live, leaks); why != "" {
		return result.RouterStale, why
	}
	switch {
	case files.Refusal != "":
		return result.RouterFrozen, "HAProxy refuses its file: " + firstLine(files.Refusal)
	case files.MasterPID == 0:
		return result.ProcessStale, "HAProxy does not run"
	case !bytes.Equal(files.Serving, files.Live):
		return result.ProcessStale, "HAProxy runs with another file than the live haproxy.cfg"
	}
	return "", ""
}

// FileFault says in what a live haproxy.cfg is not what a push renders to, line by line; empty when it is. Blanks do
// not count: they collapse in a push that is part of a bulk command. Where keep-alive leaks (#14131) the line of the
// defaults that it changes is left to ExpectKeepAlive.
func FileFault(pushed, file []byte, leaks bool) string {
	want, live := router.Listens(pushed), router.Listens(file)
	due, have := router.Sections(pushed), router.Sections(file)
	titled := func(s router.Section) string {
		if s.Kind == "listen" {
			return s.Name
		}
		return s.Kind
	}
	for _, s := range due {
		at := slices.IndexFunc(have, func(o router.Section) bool { return o.Kind == s.Kind && o.Name == s.Name })
		name := titled(s)
		if at < 0 {
			return fmt.Sprintf("section %s of the newest push is not in the live haproxy.cfg%s", name,
				policiesLive(want, live))
		}
		if !sameLines(withoutLeak(s, leaks), withoutLeak(have[at], leaks)) {
			return fmt.Sprintf("section %s of the live haproxy.cfg is not what the newest push renders to%s", name,
				policiesLive(want, live))
		}
	}
	for _, s := range have {
		if !slices.ContainsFunc(due, func(o router.Section) bool { return o.Kind == s.Kind && o.Name == s.Name }) {
			return fmt.Sprintf("the live haproxy.cfg has section %s, which the newest push does not render to",
				titled(s))
		}
	}
	for i, s := range have {
		if i >= len(due) || due[i].Name != s.Name {
			return fmt.Sprintf("section %s of the live haproxy.cfg is there twice, or not in its place", titled(s))
		}
	}
	return ""
}

// withoutLeak are the section's lines, without the one that a leak of keep-alive changes.
func withoutLeak(s router.Section, leaks bool) []string {
	if s.Kind != "defaults" || !leaks {
		return s.Lines
	}
	return slices.DeleteFunc(slices.Clone(s.Lines), func(line string) bool {
		return strings.Contains(line, "option httpclose")
	})
}

// policiesLive counts how many rules have in the live file what the newest push gives them as policy: one of many that
// is lost is another matter than all but one.
func policiesLive(want, live map[string]router.Section) string {
	rules, due, there, stray := len(want), 0, 0, 0
	for name, s := range want {
		switch mine, have := policyLines(s), policyLines(live[name]); {
		case s.Statistics():
			rules--
		case len(mine) > 0:
			due++
			if sameLines(mine, have) {
				there++
			}
		case len(have) > 0:
			stray++
		}
	}
	var words []string
	if there < due {
		words = append(words, fmt.Sprintf("%d of %d rules have their policy in the live file", there, due))
	}
	if stray > 0 {
		words = append(words, fmt.Sprintf("%d of %d rules without a policy have one there", stray, rules-due))
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// policyLines are the section's lines that a policy consists of.
func policyLines(s router.Section) []string {
	var lines []string
	for _, line := range s.Lines {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); slices.Contains([]string{"stick-table", "stick",
			"cookie", "appsession"}, word) {
			lines = append(lines, line)
		}
	}
	return lines
}

func sameLines(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool { return slices.Equal(strings.Fields(x), strings.Fields(y)) })
}

// ExpectAgreement expects that API, newest push, file and process say the same.
func (t RouterLooks) ExpectAgreement(n *objects.Network, only ...*objects.Rule) {
	t.ExpectContent(n, only...)
	t.ExpectInForce(n)
}

// ExpectValidFile expects that HAProxy takes the router's newest file.
func (t RouterLooks) ExpectValidFile(n *objects.Network) {
	defer t.Step("HAProxy takes the file")()
	t.Checked(1)
	files, rendered := t.filesOf(n.Router())
	if files.Refusal != "" {
		t.on.FailAs(result.RouterFrozen, t.frozen(n, files, rendered), fmt.Sprintf("router %s: HAProxy refuses the "+
			"file, and goes on with the one before: %s", n.Router(), firstLine(files.Refusal)),
			result.Evidence{Kind: result.KindNote, Title: "what HAProxy says", Text: files.Refusal},
			result.Evidence{Kind: result.KindFileDiff,
				Title: "haproxy.cfg, per section: + as it was refused, - as it runs",
				Text:  router.DiffText(rendered.File(), files.Serving)})
	}
}

// SeenFrozen is what a router with a refused file is seen by: the refusal, and how many things are wrong besides, such
// as a file that is not what the newest push renders to.
const SeenFrozen = "frozen"

func (t RouterLooks) frozen(n *objects.Network, files router.Files, rendered router.Rendered) result.Seen {
	besides := 0
	if push, ok := t.newestPush(n.Router()); ok {
		besides = len(t.contentFaults(n, push, nil))
	}
	if files.MasterPID == 0 {
		besides++
	}
	refusal := firstLine(files.Refusal)
	files.Refusal, files.Serving = "", files.Live
	if _, why := t.forceFault(files, rendered); why != "" {
		besides++
	}
	return result.Seen{What: SeenFrozen, Text: refusal, Number: float64(besides)}
}

// SeenDefaults is what defaults of a router's file are seen by: the router, and whether the newest push asks for them.
const SeenDefaults = "defaults"

// ExpectKeepAlive expects that the newest push asks for keep-alive, or does not, and that the router's defaults follow.
func (t RouterLooks) ExpectKeepAlive(n *objects.Network, on bool) {
	t.Checked(1)
	push, _ := t.newestPush(n.Router())
	if push.KeepAlive != on {
		t.Fail(result.KeepAliveWrong, fmt.Sprintf("the newest push to %s has keep-alive %t, the network's offering "+
			"says %t", n.Router(), push.KeepAlive, on))
	}
	files, _ := t.filesOf(n.Router())
	for _, s := range router.Sections(files.Live) {
		if s.Kind == "defaults" && slices.Contains(s.Lines, "no option httpclose") != on {
			t.on.FailAs(result.KeepAliveWrong, result.Seen{What: SeenDefaults, Of: n.Router(),
				Way: []bool{push.KeepAlive}},
				fmt.Sprintf("router %s: the defaults of its haproxy.cfg do not follow the network's offering "+
					"(keep-alive %t)", n.Router(), on),
				result.Evidence{Kind: result.KindNote, Title: "defaults of " + n.Router(),
					Text: strings.Join(s.Lines, "\n")})
		}
	}
}

// RequireNewRouter makes sure that the network has another router than before.
func (t RouterLooks) RequireNewRouter(n *objects.Network, before string) {
	if now := n.Router(); now == before {
		t.Inconclusive("router %s is still the one of before the restart", now)
	}
}

// filePeeker is a target whose routers' files can be read without bringing HAProxy to life.
type filePeeker interface {
	Peek(ctx context.Context, routerName string) (router.Files, error)
}

// RouterFaults says in what the network's router is not at its newest push, and its newest push not at what the API
// lists of the rules (all when none is given); empty when all agree. Unless it looks closely, HAProxy itself may be
// left out. Before the first push there is nothing to compare. The class is that of the first one.
func (t RouterLooks) RouterFaults(n *objects.Network, closely bool, rules ...*objects.Rule) (class result.Class,
	wrong []string) {
	name := n.Router()
	push, ok := t.newestPush(name)
	if !ok {
		return "", nil
	}
	if wrong = t.contentFaults(n, push, rules); len(wrong) > 0 {
		class = result.PushContent
	}
	rendered, err := t.site.Routers.Rendered(t.ctx, name)
	t.Must(err, "rendering the newest push of router %s", name)
	var files router.Files
	if p, ok := t.site.Routers.(filePeeker); ok && !closely {
		files, err = p.Peek(t.ctx, name)
	} else {
		files, err = t.aliveFiles(name)
	}
	t.Must(err, "reading the files of router %s", name)
	if !files.Attended && !closely { // nobody asked HAProxy itself
		files.MasterPID, files.Serving, files.Refusal = -1, files.Live, ""
	}
	if kind, why := t.forceFault(files, rendered); why != "" {
		class = cmp.Or(class, kind)
		wrong = append(wrong, fmt.Sprintf("router %s: %s", name, why))
		if files.Refusal != "" {
			wrong = append(wrong, files.Refusal)
		}
	}
	return class, wrong
}
