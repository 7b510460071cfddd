package routers

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/router/scripts"
)

// delivered is a target whose routers answer for changes that are none of balancing by a release's own scripts.
type delivered interface {
	Delivered(routerName string) []scripts.Delivery
}

// ExpectDelivered says who answered for the port forwarding of a network: its router's own scripts, the zone's model of
// them, or somebody's server. Of scripts it expects that their firewall followed each change that they took, and none
// that they refused.
func (t RouterLooks) ExpectDelivered(n *objects.Network) {
	d, is := t.site.Routers.(delivered)
	var all []scripts.Delivery
	if is {
		all = d.Delivered(n.Router())
	}
	if len(all) == 0 {
		if t.site.Disposable {
			t.Show(result.Evidence{Kind: result.KindNote, Title: "who answered for " + n.Router(), Text: "The zone's " +
				"model of a router's scripts answered for port forwarding, firewall and network ACL."})
		}
		return
	}
	t.Show(result.Evidence{Kind: result.KindTable, Title: fmt.Sprintf("who answered for port forwarding on %s: %s",
		n.Router(), t.site.Router), Text: deliveries(all) +
		"\nFor firewall and network ACL the zone's model answered.\n"})
	for _, one := range all {
		t.Checked(1)
		said, refused := one.Refused()
		switch {
		case one.Before == nil: // there is no iptables
		case refused && one.Changed():
			t.Fail(result.WrongFile, fmt.Sprintf("the scripts of router %s refused %s, and changed its firewall: %s",
				n.Router(), one.Item, alertOf(said)))
		case one.Exit == 0 && !one.Changed():
			t.Fail(result.WrongFile, fmt.Sprintf("the scripts of router %s took %s, and its firewall is as before",
				n.Router(), one.Item))
		}
	}
}

func deliveries(all []scripts.Delivery) string {
	return stage.Table("item\texit status\tfirewall\twhat HAProxy refused", func(row func(...any)) {
		for _, d := range all {
			name, _, _ := strings.Cut(d.Item, ".json")
			firewall := "as before"
			switch {
			case d.Before == nil:
				firewall = "no iptables"
			case d.Changed():
				firewall = "changed"
			}
			said, _ := d.Refused()
			row(name, d.Exit, firewall, alertOf(said))
		}
	})
}

// alertOf is the first line of what HAProxy says against a file; the lines before it say which HAProxy.
func alertOf(said string) string {
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "[ALERT]") {
			return strings.TrimSpace(line)
		}
	}
	return firstLine(said)
}
