package fault

import "github.com/stackproof/stackproof/release"

// Faults of listUsageRecords.
const (
	UsageAPIShort            release.Knob = "usage-api-short"
	UsageAPIOldFormatIgnored release.Knob = "usage-api-oldformat-ignored"
	UsageAPIAccountIgnored   release.Knob = "usage-api-account-ignored"
	UsageAPIDomainIgnored    release.Knob = "usage-api-domain-ignored"
	UsageAPISubdomainsLost   release.Knob = "usage-api-subdomains-lost"
	UsageAPITypeIgnored      release.Knob = "usage-api-type-ignored"
	UsageAPIIDIgnored        release.Knob = "usage-api-id-ignored"
	UsageAPIPeriodIgnored    release.Knob = "usage-api-period-ignored"
	UsageAPICountOfPage      release.Knob = "usage-api-count-of-page"
	UsageAPIPageRepeated     release.Knob = "usage-api-page-repeated"
	UsageAPIUnknownIDAll     release.Knob = "usage-api-unknown-id-all"
	UsageAPIProjectIgnored   release.Knob = "usage-api-project-ignored"
	ProjectBilledToOwner     release.Knob = "project-billed-to-owner"
	ProjectRulesListed       release.Knob = "project-rules-listed"
)

func listingFaults() []release.KnobInfo {
	return []release.KnobInfo{
		{
			Name: UsageAPIProjectIgnored, Part: "api",
			About: "listUsageRecords ignores the project that it is asked for",
		},
		{
			Name: ProjectBilledToOwner, Part: "usage",
			About: "usage events of what belongs to a project name the account that administers it",
		},
		{
			Name: ProjectRulesListed, Part: "api",
			About: "listLoadBalancerRules shows the rules of a caller's projects among its own",
		},
		{
			Name: UsageAPIShort, Part: "api",
			About: "listUsageRecords leaves out the last record of each answer",
		},
		{
			Name: UsageAPIOldFormatIgnored, Part: "api",
			About: "listUsageRecords ignores oldformat",
		},
		{
			Name: UsageAPIAccountIgnored, Part: "api",
			About: "listUsageRecords ignores the account that it is asked for",
		},
		{
			Name: UsageAPIDomainIgnored, Part: "api",
			About: "listUsageRecords ignores the domain that it is asked for",
		},
		{
			Name: UsageAPISubdomainsLost, Part: "api",
			About: "listUsageRecords ignores isrecursive",
		},
		{
			Name: UsageAPITypeIgnored, Part: "api",
			About: "listUsageRecords ignores the type that it is asked for",
		},
		{
			Name: UsageAPIIDIgnored, Part: "api",
			About: "listUsageRecords ignores the usage id that it is asked for",
		},
		{
			Name: UsageAPIPeriodIgnored, Part: "api",
			About: "listUsageRecords ignores the end of the period that it is asked for",
		},
		{
			Name: UsageAPICountOfPage, Part: "api",
			About: "the count of listUsageRecords is that of the page",
		},
		{
			Name: UsageAPIPageRepeated, Part: "api",
			About: "every page of listUsageRecords is the first one",
		},
		{
			Name: UsageAPIUnknownIDAll, Part: "api",
			About: "listUsageRecords takes a usage id that nothing has for none",
		},
	}
}
