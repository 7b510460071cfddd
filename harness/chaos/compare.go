package chaos

import (
	"strings"

	"github.com/stackproof/stackproof/harness/inventory"
)

// difference names what is there after and was not before, and the other way round: a clean-up that takes other
// people's objects is as bad as one that leaves some.
func difference(before, after inventory.Snapshot) (all []string) {
	had, has := named(before), named(after)
	for name := range has {
		if !had[name] {
			all = append(all, name+" is left")
		}
	}
	for name := range had {
		if !has[name] {
			all = append(all, name+" is missing")
		}
	}
	return all
}

func named(s inventory.Snapshot) map[string]bool {
	all := map[string]bool{}
	for _, o := range s.Objects {
		all[o.String()] = true
	}
	for _, r := range s.Rows {
		all[r.String()] = true
	}
	return all
}

func countLines(text, prefix string) (n int) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
