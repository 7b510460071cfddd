package kernel

import (
	_ "embed" // the table of filters
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

// UnknownParameters is the log message about parameters that a command does not have. A server takes them, does
// nothing, and logs the like (ParamGenericValidationWorker.java@4.20.0.0): a misspelt filter lists everything.
const UnknownParameters = "a client sent parameters of which the lab takes no notice"

// noteUnknown logs the parameters that the command does not have. listall is what clients add to every list.
func (c *Call) noteUnknown() {
	var unknown []string
	for name := range c.Params {
		name, _, _ = strings.Cut(name, "[")
		if !slices.ContainsFunc(c.Cmd.Params,
			func(p Param) bool { return strings.EqualFold(p.Name, name) && c.k.Takes(p) }) &&
			!slices.Contains(everywhereParams(), name) && !slices.Contains(unfilteredOf(c.Cmd.Name), name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		c.k.Log.Warn(UnknownParameters, "command", c.Cmd.Name, "parameters", strings.Join(slices.Compact(unknown), " "))
	}
}

func everywhereParams() []string {
	return []string{"command", "response", "apikey", "signature", "signatureversion", "expires", "sessionkey",
		"projectid", "listall", "page", "pagesize", "keyword"}
}

// unfiltered are the filters of list commands that a server has and the lab does not: a command and its parameters a
// line (zone.TestFiltersThatTheLabLacks writes it from the parameters that CloudStack's Go client knows).
//
//go:embed unfiltered.txt
var unfiltered string

// unfilteredOf are those of one command.
func unfilteredOf(command string) []string {
	for line := range strings.Lines(unfiltered) {
		if name, rest, _ := strings.Cut(strings.TrimSpace(line), " "); name == command {
			return strings.Fields(rest)
		}
	}
	return nil
}

// byFields applies the filters of the table: an object is kept when its field of the filter's name has the value. Where
// no object has such a field, the call is refused when its work is done (lacking): taken and not applied, a filter
// would list everything.
func (c *Call) byFields(items []obj) []obj {
	for _, name := range unfilteredOf(c.Cmd.Name) {
		value, given := c.Params[name]
		if !given || len(items) == 0 {
			continue
		}
		field, wanted := name, []string{value}
		if name == "ids" {
			field, wanted = "id", c.List(name)
		}
		if !slices.ContainsFunc(items, func(i obj) bool { _, has := i[field]; return has }) {
			c.lacking = name
			return items
		}
		items = slices.DeleteFunc(items, func(i obj) bool {
			return !slices.ContainsFunc(wanted,
				func(w string) bool { return strings.EqualFold(w, fmt.Sprint(i[field])) })
		})
	}
	return items
}

// lack refuses a call with a filter that no object could be held against.
func (c *Call) lack() error {
	if c.lacking == "" {
		return nil
	}
	return api.BadParameter("The lab does not filter %s by %s: leave it out", c.Cmd.Name, c.lacking)
}
