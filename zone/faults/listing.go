package faults

import (
	"maps"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
)

// listingIgnores are the parameters of listUsageRecords that a fault ignores.
func listingIgnores() map[release.Knob][]string {
	return map[release.Knob][]string{
		fault.UsageAPIOldFormatIgnored: {"oldformat"},
		fault.UsageAPIAccountIgnored:   {"account", "accountid"},
		fault.UsageAPIProjectIgnored:   {"projectid"},
		fault.UsageAPIDomainIgnored:    {"domainid"},
		fault.UsageAPISubdomainsLost:   {"isrecursive"},
		fault.UsageAPITypeIgnored:      {"type", "usageid"}, // without a type a usage id is refused
		fault.UsageAPIIDIgnored:        {"usageid"},
		fault.UsageAPIPageRepeated:     {"page"},
	}
}

// listRecords ignores parameters, leaves the last record out, or counts the page.
func (f *Faults) listRecords(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		for knob, params := range listingIgnores() {
			if f.On(knob) {
				maps.DeleteFunc(c.Params, func(name, _ string) bool { return slices.Contains(params, name) })
			}
		}
		if f.On(fault.UsageAPIPeriodIgnored) {
			c.Params["enddate"] = k.Now().Add(24 * time.Hour).Format("2006-01-02 15:04:05")
		}
		answer, err := next(k, c)
		if err == nil && len(answer) == 0 && c.Has("usageid") && f.On(fault.UsageAPIUnknownIDAll) {
			delete(c.Params, "usageid")
			answer, err = next(k, c)
		}
		if err == nil && f.On(fault.UsageAPIShort) {
			withoutLast(answer, "usagerecord", 0, false)
		}
		if page, _ := answer["usagerecord"].([]obj); len(page) > 0 && f.On(fault.UsageAPICountOfPage) {
			answer["count"] = len(page)
		}
		return answer, err
	}
}
