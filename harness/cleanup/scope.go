package cleanup

import (
	"strings"

	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
)

// Scope says which objects are to be removed.
type Scope struct {
	// prefix begins the names of everything that a run made, or of the accounts that hold it; empty owns nothing.
	prefix   string
	accounts map[string]bool
	names    map[string]bool // kind and name
	ids      map[string]bool
	// kinds are all that the scope has; nil for any.
	kinds []inventory.Kind
}

// Account is an account with all that it owns.
func Account(name string) Scope {
	return Scope{accounts: map[string]bool{name: true}}
}

// Project is a project with all that belongs to it.
func Project(name string) Scope {
	return Scope{names: map[string]bool{string(inventory.Project) + " " + name: true},
		kinds: []inventory.Kind{inventory.Project}}
}

// OfLedger is everything that a ledger names and that may still exist.
func OfLedger(entries []ledger.Entry) Scope {
	s := Scope{accounts: map[string]bool{}, names: map[string]bool{}, ids: map[string]bool{}}
	for _, e := range entries {
		if e.Account != "" {
			s.accounts[e.Account] = true
		}
		if e.UUID != "" {
			s.ids[strings.ToLower(e.UUID)] = true
		}
		s.names[e.Kind+" "+e.Name] = true
	}
	return s
}

// OfRun is everything that a run made and that may still exist: what its ledger names, and whatever carries its prefix.
// What the server committed after nobody waited for it any more is found by that.
func OfRun(prefix string, entries []ledger.Entry) Scope {
	s := OfLedger(entries)
	s.prefix = prefix
	return s
}

// lists are the kinds of objects in which the scope's are looked for.
func (s Scope) lists() []inventory.Kind {
	if s.kinds != nil {
		return s.kinds
	}
	return inventory.Kinds()
}

// Owns says whether the object is to be removed.
func (s Scope) Owns(o inventory.Object) bool {
	named := o.Account == "" || o.Kind == inventory.AccountObj || o.Kind == inventory.Project // a name is all it has
	return inventory.Ours(s.prefix, o.Name, o.Account) || s.accounts[o.Account] || s.ids[strings.ToLower(o.ID)] ||
		named && s.names[string(o.Kind)+" "+o.Name]
}
