// Package release is the one home of what differs between CloudStack releases. It knows names and behaviours, not how
// the zone or the router carries them out. Before changing it know that every other package derives from it: nobody
// else compares versions or names one.
package release

import (
	"maps"
	"slices"
)

// Knob is the name of one independent switch of the lab's behaviour. The constants of this package are behaviours of
// releases; those of package fault are faults that no release ever had.
type Knob string

// Off is the word that switches the knob off, where a set of knobs is given as words.
func (k Knob) Off() Knob { return k + "=off" }

// With is the word that switches a knob on that takes values (KnobInfo.Takes).
func (k Knob) With(value string) Knob { return k + "=" + Knob(value) }

// KnobInfo describes a knob.
type KnobInfo struct {
	Name Knob
	// About says what the zone does when the knob is on.
	About string
	// Part is who acts on it: "usage", "api", "router".
	Part string
	// Needs are knobs without which it means nothing; they are switched on with it.
	Needs []Knob
	// Takes are the values of a knob that is told more than on or off (NAME=VALUE); on alone leaves the choice to it.
	Takes []string
}

// Fault says whether the knob is a fault that a scenario must catch, or only another way to answer.
func (k KnobInfo) Fault() bool { return !slices.Contains(harmless(), k.Name) }

// harmless are the knobs that change nothing on which a customer, or a program that reads bills, depends.
func harmless() []Knob {
	return []Knob{
		UsageCleanOwnJobsAtStart,  // an improvement: what U-25 sees is the release without it
		UsageOwnsAtHeartbeat,      // an improvement: what U-69 sees is the release without it
		SessionKeyEither,          // both ways of a session's key; calls are signed here
		CapabilitiesNullString,    // of a simulator's build, which has no settings of shared file systems
		AnswersSpecifyVLAN,        // a field more of networks
		AnswersAPIKeyAccess,       // fields more for an administrator
		ListNetworksAnyAccount,    // an administrator's own list without listall
		NICNamesSegment,           // fields more of a push, which no router's code reads
		LogContextPlain,           // the layout of the management log
		AddressAnsweredAllocating, // a word of an answer; lists say what is
		TextsNameObjects,          // words inside a text; its code and reason are the same
		TextsInstance,             // the same
		NetrisProvider,            // a field more of addresses, and counters that no router has
		DomainPathPretty,          // how a path is written
		DestroyAnswersNull,        // the name of an object in an answer
		IdleTimeout,               // a field of pushes, with the value that all files had before
		NICSecurityGroupNamed,     // the name of a field of a push, which no router's code reads
		NetworkIDMustMatch,        // a refusal where before the parameter was ignored
		RendererBefore418,         // HAProxy 1.5 ran such files, today's does not
		RouterVerifies,            // an improvement: what L-05 sees is the router without it
		UpdateCIDRList,            // an improvement
		SSLOffload,                // an improvement
		RuleBlockOrder2,           // the order of lines, not what they say
		SoftDeleteRules,           // rows of what was deleted, with their date
		EnabledMinMaxUpdate,       // an improvement
		ConserveModeTier,          // an improvement
		BackupsBilledToLast,       // an improvement: what U-64 sees is the release without it
		VPCConserveMode,           // an improvement
		GroupSchedules,            // an improvement
		VPCFirewall,               // an improvement
		EventTextUUID,             // words inside a text
		KeyPairs,                  // an improvement
		AnswersOfMain,             // fields more of networks, VPCs and NICs
	}
}

// AllKnobs lists the knobs of releases: their differences first, then the defects that all have.
func AllKnobs() []KnobInfo {
	return slices.Concat(differences(), newer(), ofMain(), balancingDefects(), defectsOfToday(), usageDefects())
}

// Knobs is a set of switched-on knobs.
type Knobs map[Knob]bool

// Clone is a copy.
func (k Knobs) Clone() Knobs { return maps.Clone(k) }
