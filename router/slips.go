package router

import (
	"slices"
	"strings"
)

// Slips are what a generator could make of a push that the push does not order. HAProxy takes each of these files, and
// the router is at them: whoever asks the generator itself sees nothing. The zero value has none.
type Slips struct {
	NoChecks      bool // servers have no health check
	OneNetwork    bool // a source list is its first network
	UsualExpiry   bool // every stick table expires as one for which nothing was said
	CookieInsert  bool // every cookie is inserted
	DoorsStayOpen bool // the firewall closes nothing
}

// misread is the push as a generator with slips takes it.
func (s Slips) misread(p Push) Push {
	if s == (Slips{}) {
		return p
	}
	p.LoadBalancers = slices.Clone(p.LoadBalancers)
	for i := range p.LoadBalancers {
		lb := &p.LoadBalancers[i]
		if words := strings.Fields(lb.CIDRList); s.OneNetwork && len(words) > 0 {
			lb.CIDRList = words[0]
		}
		lb.Stickiness = slices.Clone(lb.Stickiness)
		for j, policy := range lb.Stickiness {
			if s.UsualExpiry {
				policy.Params = append(slices.Clone(policy.Params), Param{Name: "expire", Value: "30m"})
			}
			if s.CookieInsert {
				policy.Params = append(slices.Clone(policy.Params), Param{Name: "mode", Value: "insert"})
			}
			lb.Stickiness[j] = policy
		}
	}
	return p
}
