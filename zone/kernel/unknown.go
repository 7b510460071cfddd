package kernel

import (
	"slices"
	"strings"
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
			!slices.Contains(everywhereParams(), name) {
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
