package faults

import (
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
)

// forgets takes parameters away before a command sees them.
func (f *Faults) forgets(knob release.Knob, params ...string) func(next run) run {
	return func(next run) run {
		return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
			for _, name := range params {
				if f.On(knob) {
					delete(c.Params, name)
				}
			}
			return next(k, c)
		}
	}
}

// others are the rules that a list without a filter leaves out, since they are somebody else's.
func (f *Faults) others(c *kernel.Call, listed []obj) (more []obj) {
	for _, name := range []string{"id", "name", "publicipid", "networkid", "virtualmachineid", "keyword", "account",
		"pagesize"} {
		if c.Has(name) {
			return nil
		}
	}
	for _, r := range f.push.LBRules.All() {
		if !r.Internal && !slices.ContainsFunc(listed, func(one obj) bool { return one["id"] == r.UUID }) {
			more = append(more, lb.RuleAnswer(f.lb, r))
		}
	}
	return more
}
