package zone

import (
	"fmt"
	"slices"
	"strings"
)

// Knob is one independent switch of the zone's behaviour. Release profiles are sets of knobs; single knobs are the
// planted faults ("twins") that scenarios must catch.
type Knob struct {
	Name string
	// About says what the zone does when the knob is on.
	About string
	// Part is who acts on it: "usage", "api", "router".
	Part string
	// Releases names the profiles that have it; empty for a fault that no release ever had.
	Releases []string
}

// Fault says whether the knob is a fault that a scenario must catch, or only another way to answer.
func (k Knob) Fault() bool {
	return !slices.Contains(harmless(), k.Name)
}

// harmless are the knobs that change nothing on which a customer, or a program that reads his bills, depends.
func harmless() []string {
	return []string{
		"usage-clean-own-jobs-at-start", // an improvement: what U-25 sees is the release without it
		"session-key-either",            // both ways of a session's key; calls are signed here
		"capabilities-null-string",      // of a simulator's build, which has no settings of shared file systems
		"answers-specifyvlan",           // a field more of networks
		"answers-apikeyaccess",          // fields more for an administrator
		"list-networks-any-account",     // an administrator's own list without listall
		"nic-names-segment",             // fields more of a push, which no router's code reads
		"log-context-plain",             // the layout of the management log
		"group-named-as-object",         // words inside a refusal's text; its code and reason are the same
		"condition-named-as-object",     // the same
	}
}

// Releases lists the profiles, oldest first.
func Releases() []string {
	return []string{"4.19.1.0", "4.19.2.0", "4.19.3.0", "4.20.0.0", "4.20.1.0", "4.20.2.0"}
}

// releaseKnobs are the behaviours in which the profiles differ (facts: cloudstack.md 0).
func releaseKnobs() []Knob {
	return []Knob{
		{"usage-close-by-helper-id", "LB.DELETE and NET.RULEDELETE look the helper row up by its own id instead of the rule's (#10789, #9888, #10712)", "usage",
			[]string{"4.19.1.0", "4.19.2.0", "4.20.0.0"}},
		{"resize-event-old-size", "VOLUME.RESIZE carries the size from before the change (#9459)", "api", []string{"4.19.1.0"}},
		{"network-usage-model-old", "network and VPC helper rows are opened at each implement and one at a time closed (#10687, #10712, #10755)", "usage",
			[]string{"4.19.1.0", "4.19.2.0", "4.20.0.0"}},
		{"usage-clean-own-jobs-at-start", "the usage server removes its own host's unfinished jobs when it starts (#10848)", "usage", []string{"4.20.2.0"}},
		{"vr-compare-as-set", "the router compares its configuration files as sets of lines (#9822)", "router", []string{"4.19.1.0"}},
		{"algorithm-verbatim", "the balance value is written as the user typed it (#9698)", "router", []string{"4.19.1.0"}},
		{"session-key-either", "a session key is accepted from the cookie or the parameter", "api", []string{"4.19.1.0"}},
		{"error-command-cut", "an error of the parameter check names the command by its root cut by eight letters (createLBStickine)", "api",
			[]string{"4.19.1.0", "4.19.2.0", "4.19.3.0"}},
		{"answer-fields-old", "answers lack deleteprotection, forsystemvms, a firewall rule's traffictype and destcidrlist, NSX and architecture", "api",
			[]string{"4.19.1.0", "4.19.2.0", "4.19.3.0"}},
		{"capabilities-null-string", "listCapabilities answers 431 Cannot parse null string: settings of shared file systems are missing on a simulator build", "api",
			[]string{"4.20.0.0", "4.20.1.0", "4.20.2.0"}},
		{"answers-specifyvlan", "networks answer specifyvlan", "api", []string{"4.19.2.0", "4.19.3.0", "4.20.1.0", "4.20.2.0"}},
		{"answers-apikeyaccess", "accounts, users and keys answer apikeyaccess to an admin (#10244), VMs and routers arch, zones routedmodeenabled", "api",
			[]string{"4.20.1.0", "4.20.2.0"}},
		{"list-networks-any-account", "listNetworks of an admin is not limited to his own account", "api", []string{"4.19.1.0"}},
		{"no-domainpath", "answers name an owner's domain without its path", "api", []string{"4.19.1.0"}},
		{"nic-names-segment", "a push's NIC names the network's id and segment", "router", []string{"4.20.0.0", "4.20.1.0", "4.20.2.0"}},
		{"log-context-plain", "the management log's context stack has no brackets (log4j 1)", "router", []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"}},
		{"address-release-guard-late", "releasing an address with an autoscale group on it is refused after its firewall and port forwarding rules are gone", "api", Releases()},
		{"group-named-as-object", "a refused group deletion names the group as an object instead of by its id", "api", []string{"4.20.2.0"}},
		{"condition-named-as-object", "a refused change of a condition names it as an object instead of by its id", "api", []string{"4.20.1.0", "4.20.2.0"}},
		{"usage-type-json-old", "listUsageTypes answers usagetypeid and description only", "api", []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"}},
		{"usage-dates-as-string", "listUsageRecords answers dates as quoted text", "api", []string{"4.19.1.0", "4.19.2.0", "4.19.3.0"}},
		{"autoscale-unbounded-retries", "a group whose members fail to start creates them without end (#11244)", "api",
			[]string{"4.19.1.0", "4.19.2.0", "4.19.3.0", "4.20.0.0", "4.20.1.0"}},
	}
}

// Knobs is a set of switched-on knobs.
type Knobs map[string]bool

// AllKnobs lists every knob: the release differences first, then the planted faults.
func AllKnobs() []Knob {
	return slices.Concat(releaseKnobs(), defectKnobs(), usageDefectKnobs(), faultKnobs(), usageFaultKnobs())
}

// ProfileKnobs is the set of a release's profile.
func ProfileKnobs(release string) (Knobs, error) {
	if !slices.Contains(Releases(), release) {
		return nil, fmt.Errorf("release %q is not one of %s", release, strings.Join(Releases(), ", "))
	}
	k := Knobs{}
	for _, one := range slices.Concat(releaseKnobs(), defectKnobs(), usageDefectKnobs()) {
		if slices.Contains(one.Releases, release) {
			k[one.Name] = true
		}
	}
	return k, nil
}

// Set switches knobs by words of the form "name", "name=on" or "name=off".
func (k Knobs) Set(words ...string) error {
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		if !slices.ContainsFunc(AllKnobs(), func(one Knob) bool { return one.Name == name }) {
			return fmt.Errorf("knob %q does not exist", name)
		}
		switch value {
		case "", "on", "true":
			k[name] = true
		case "off", "false":
			delete(k, name)
		default:
			return fmt.Errorf("knob %s takes on or off, not %q", name, value)
		}
	}
	return nil
}
