package story

import (
	"slices"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/answers"
	"github.com/stackproof/stackproof/harness/story/billing"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/harness/story/routers"
	"github.com/stackproof/stackproof/harness/story/scaling"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// What stories make, and what they tell of it. Their verbs are in the rooms beside this package.
type (
	Account       = objects.Account
	Address       = objects.Address
	Certificate   = objects.Certificate
	Domain        = objects.Domain
	Fault         = objects.Fault
	Form          = objects.Form
	Group         = objects.Group
	Network       = objects.Network
	NIC           = objects.NIC
	Other         = objects.Other
	Policy        = objects.Policy
	PortForward   = objects.PortForward
	Rule          = objects.Rule
	SecondAddress = objects.SecondAddress
	Snapshot      = objects.Snapshot
	VM            = objects.VM
	Volume        = objects.Volume
	VPC           = objects.VPC
	VPNUser       = objects.VPNUser
	When          = objects.When

	Billed = watch.Billed
)

// NoPort is a port number 0, which a form cannot hold otherwise.
const NoPort = objects.NoPort

// What is seen of a failure, for Shows.What: see the rooms.
const (
	SeenBackends  = routers.SeenBackends
	SeenClosed    = billing.SeenClosed
	SeenContent   = routers.SeenContent
	SeenDefaults  = routers.SeenDefaults
	SeenDeletes   = billing.SeenDeletes
	SeenDisks     = scaling.SeenDisks
	SeenForwarded = routers.SeenForwarded
	SeenFrozen    = routers.SeenFrozen
	SeenGap       = scaling.SeenGap
	SeenHours     = billing.SeenHours
	SeenMembers   = scaling.SeenMembers
	SeenNoRun     = billing.SeenNoRun
	SeenPolicies  = answers.SeenPolicies
	SeenRows      = billing.SeenRows
	SeenSizes     = billing.SeenSizes
	SeenTimeouts  = routers.SeenTimeouts
	SeenUnbilled  = billing.SeenUnbilled
	SeenWay       = routers.SeenWay
)

// ClassOf is the class of a violation. Those of no defect that a probe knows by its looks go by what they break.
func ClassOf(v usageprobe.Violation) result.Class { return watch.ClassOf(v) }

// BilledAll is what several things are billed as.
func BilledAll[T interface{ Billed() Billed }](things ...T) []Billed {
	return stage.Each(things, func(thing T) Billed { return thing.Billed() })
}

// Rules are the groups' rules.
func Rules(groups []*Group) []*Rule {
	return stage.Each(groups, func(g *Group) *Rule { return g.Rule })
}

// Together are the members of the groups, a group that is named twice counts once.
func Together(groups ...*Group) []*VM {
	var vms []*VM
	for i, g := range groups {
		if !slices.Contains(groups[:i], g) {
			vms = append(vms, g.VMs()...)
		}
	}
	return vms
}

// SourcePolicy is a source policy of its own size and expiry; empty words leave the parameter out.
func SourcePolicy(tablesize, expire string) Policy {
	p := Policy{Method: "SourceBased", Params: map[string]string{}}
	if tablesize != "" {
		p.Params["tablesize"] = tablesize
	}
	if expire != "" {
		p.Params["expire"] = expire
	}
	return p
}

// CookiePolicy has HAProxy insert a cookie of that name.
func CookiePolicy(name string) Policy {
	return Policy{Method: "LbCookie", Params: map[string]string{"cookie-name": name, "mode": "insert",
		"indirect": "true"}}
}

// AppCookiePolicy follows an application's cookie: a directive that HAProxy has not known since 1.6 (#3253).
func AppCookiePolicy(name string) Policy {
	return Policy{Method: "AppCookie", Params: map[string]string{"cookie-name": name, "length": "52", "holdtime": "3h"}}
}
