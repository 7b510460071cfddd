package routers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/router"
)

// idleSetting is how long routers keep idle connections, in milliseconds; 0 is for ever (from 4.22.1.0 on).
const idleSetting = "network.loadbalancer.haproxy.idle.timeout"

// RequireIdleSetting ends a story about the idle timeout where the release has none, or where it is others', too.
func (t RouterLooks) RequireIdleSetting() {
	before, found, err := t.site.Cloud.Setting(t.ctx, idleSetting)
	t.Must(err, "reading %s", idleSetting)
	switch {
	case !found:
		t.Unsupported("the release has no setting %s", idleSetting)
	case !t.site.Disposable:
		t.Unsupported("%s is a setting of the whole site: this story changes it where nobody else is", idleSetting)
	}
	t.OnCleanup("setting back "+idleSetting, func(ctx context.Context) error {
		_, err := t.site.Cloud.UpdateConfiguration(ctx, idleSetting, before)
		return err
	})
}

// SetIdleTimeout sets it; no router hears of it before the next push.
func (t RouterLooks) SetIdleTimeout(milliseconds int64) {
	defer t.Step("idle timeout %d ms", milliseconds)()
	_, err := t.site.Cloud.UpdateConfiguration(t.ctx, idleSetting, strconv.FormatInt(milliseconds, 10))
	t.Must(err, "setting %s", idleSetting)
}

// SeenTimeouts is what the timeouts of a router's file are seen by: the lines that tell them.
const SeenTimeouts = "timeouts"

// ExpectIdleTimeout expects that the newest push carries the setting, and that the router's defaults have it for
// clients and servers: nothing for 0, and what a server has that was never told for less.
func (t RouterLooks) ExpectIdleTimeout(n *objects.Network, milliseconds int64) {
	defer t.Step("timeouts of %s", n.Name)()
	t.Checked(1)
	push, _ := t.newestPush(n.Router())
	if push.IdleTimeout != milliseconds {
		t.Fail(result.PushContent, fmt.Sprintf("the newest push to %s has an idle timeout of %d ms, the setting is %d",
			n.Router(), push.IdleTimeout, milliseconds))
	}
	var want []string
	switch {
	case milliseconds < 0:
		want = timeouts(router.DefaultIdleTimeout)
	case milliseconds > 0:
		want = timeouts(milliseconds)
	}
	files, _ := t.filesOf(n.Router())
	for _, s := range router.Sections(files.Live) {
		if s.Kind != "defaults" {
			continue
		}
		var live []string
		for _, line := range s.Lines {
			if words := strings.Fields(line); len(words) == 3 && words[0] == "timeout" &&
				(words[1] == "client" || words[1] == "server") {
				live = append(live, strings.Join(words, " "))
			}
		}
		if !slices.Equal(live, want) {
			t.on.FailAs(result.WrongTimeout, result.Seen{What: SeenTimeouts, Text: strings.Join(live, ", ")},
				fmt.Sprintf("router %s: with an idle timeout of %d ms the defaults of its haproxy.cfg have %q, want %q",
					n.Router(), milliseconds, live, want),
				result.Evidence{Kind: result.KindNote, Title: "defaults of " + n.Router(),
					Text: strings.Join(s.Lines, "\n")})
		}
	}
}

func timeouts(milliseconds int64) []string {
	return []string{fmt.Sprintf("timeout client %d", milliseconds), fmt.Sprintf("timeout server %d", milliseconds)}
}
