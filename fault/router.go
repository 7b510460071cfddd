package fault

import (
	"strconv"

	"github.com/stackproof/stackproof/release"
)

// Faults of a router, of its process, or of the way from clients to it.
const (
	RouterChangeLostOnce       release.Knob = "router-change-lost-once"
	RouterFileStale            release.Knob = "router-file-stale"
	RouterReloadSkipped        release.Knob = "router-reload-skipped"
	RouterReloadTwice          release.Knob = "router-reload-twice"
	RouterReloadsOverlap       release.Knob = "router-reloads-overlap"
	RouterStartEmpty           release.Knob = "router-start-empty"
	RouterTableCleared         release.Knob = "router-table-cleared"
	RouterTableTiny            release.Knob = "router-table-tiny"
	RouterExpireShort          release.Knob = "router-expire-short"
	RouterServerMissing        release.Knob = "router-server-missing"
	RouterRuleMissing          release.Knob = "router-rule-missing"
	RouterPolicyOnWrongSection release.Knob = "router-policy-on-wrong-section"
	RouterAlgorithmIgnored     release.Knob = "router-algorithm-ignored"
	RouterSourceListIgnored    release.Knob = "router-source-list-ignored"
	RouterWrongClientAddress   release.Knob = "router-wrong-client-address"
	RouterBackendDown          release.Knob = "router-backend-down"
	RouterOldWorkerStays       release.Knob = "router-old-worker-stays"
	RouterLineLost             release.Knob = "router-line-lost"
	RouterLineDoubled          release.Knob = "router-line-doubled"
	RouterLineChanged          release.Knob = "router-line-changed"
	RouterKeepsDeleted         release.Knob = "router-keeps-deleted"
	RouterSecondDoor           release.Knob = "router-second-door"
	RouterKeepsCertificates    release.Knob = "router-keeps-certificates"
	GeneratorNoChecks          release.Knob = "generator-no-checks"
	GeneratorOneNetwork        release.Knob = "generator-one-network"
	GeneratorUsualExpiry       release.Knob = "generator-usual-expiry"
	GeneratorCookieInsert      release.Knob = "generator-cookie-insert"
	GeneratorDoorsStayOpen     release.Knob = "generator-doors-stay-open"
)

func routerFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: RouterChangeLostOnce, Part: "router",
			About: "every fourth push is answered with success and not acted upon",
		},
		{
			Name: RouterKeepsCertificates, Part: "router", Needs: []release.Knob{release.SSLOffload},
			About: "a certificate's file is written once and never replaced or removed",
		},
		{
			Name: RouterFileStale, Part: "router",
			About: "haproxy.cfg.new is written and not copied over haproxy.cfg",
		},
		{
			Name: RouterReloadSkipped, Part: "router",
			About: "haproxy.cfg is replaced and HAProxy not reloaded",
		},
		{
			Name: RouterReloadTwice, Part: "router",
			About: "each change reloads HAProxy two times",
		},
		{
			Name: RouterReloadsOverlap, Part: "router",
			About: "a reload within 150 ms of the one before is lost: HAProxy goes on with the earlier file",
		},
		{
			Name: RouterStartEmpty, Part: "router",
			About: "HAProxy is not started with its router",
		},
		{
			Name: RouterTableCleared, Part: "router",
			About: "stick tables are emptied while clients come",
		},
		{
			Name: RouterTableTiny, Part: "router",
			About: "stick tables are written with size 1",
		},
		{
			Name: RouterExpireShort, Part: "router",
			About: "stick tables are written with an expiry of one millisecond",
		},
		{
			Name: RouterServerMissing, Part: "router",
			About: "files leave out each rule's last server",
		},
		{
			Name: RouterRuleMissing, Part: "router",
			About: "files leave out the newest of several rules",
		},
		{
			Name: RouterPolicyOnWrongSection, Part: "router",
			About: "files carry each policy in the section before its own",
		},
		{
			Name: RouterAlgorithmIgnored, Part: "router",
			About: "files carry algorithm roundrobin for every rule",
		},
		{
			Name: RouterSourceListIgnored, Part: "router",
			About: "files carry no source lists",
		},
		{
			Name: RouterWrongClientAddress, Part: "router",
			About: "all clients reach the router from one address",
		},
		{
			Name: RouterBackendDown, Part: "router",
			About: "each router's last member does not answer",
		},
		{
			Name: RouterOldWorkerStays, Part: "router",
			About: "former workers never end, as if a client never left",
		},
		{
			Name: RouterLineLost, Part: "router", Takes: Lines(),
			About: "files leave out one line: the numbered one (NAME=NUMBER), or else another one in each file",
		},
		{
			Name: RouterLineDoubled, Part: "router", Takes: Lines(),
			About: "files have one line twice: the numbered one (NAME=NUMBER), or else another one in each file",
		},
		{
			Name: RouterLineChanged, Part: "router", Takes: Lines(),
			About: "files say something else in one line: the numbered one (NAME=NUMBER), or else another one in " +
				"each file",
		},
		{
			Name: RouterKeepsDeleted, Part: "router",
			About: "what listens for a deleted rule goes on to listen, though no file has it any more",
		},
		{
			Name: RouterSecondDoor, Part: "router",
			About: "HAProxy has one proxy more than its file, which answers for the members of the first rule",
		},
		{
			Name: GeneratorNoChecks, Part: "router",
			About: "what is made of a push has no health checks of members",
		},
		{
			Name: GeneratorOneNetwork, Part: "router",
			About: "what is made of a push has the first network of a source list only",
		},
		{
			Name: GeneratorUsualExpiry, Part: "router",
			About: "what is made of a push has the usual expiry for every source policy",
		},
		{
			Name: GeneratorCookieInsert, Part: "router",
			About: "what is made of a push inserts every cookie, whatever its policy's mode is",
		},
		{
			Name: GeneratorDoorsStayOpen, Part: "router",
			About: "what is made of a push leaves the firewall open for rules that were deleted",
		},
	}
}

// Lines are the numbers of lines that a fault may be planted in.
func Lines() []string {
	const most = 100
	numbers := make([]string, most)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	return numbers
}
