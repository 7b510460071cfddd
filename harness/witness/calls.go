package witness

import (
	"slices"
	"strings"
	"sync"
)

// Call is a call of the run that may have changed something.
type Call struct {
	Command string
	Params  map[string]string
}

// Calls collects the calls of a run between two looks.
type Calls struct {
	mu  sync.Mutex
	all []Call
}

// Note adds a call.
func (c *Calls) Note(one Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, one)
}

func (c *Calls) take() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

// stale is what has to be read anew, since calls may have changed it.
type stale struct {
	all    bool            // everything
	rules  map[string]bool // these rules
	policy map[string]bool // the rules of these policies
}

// after says what a call may have changed. A command that is not named here may have changed anything.
func (s *stale) after(c Call) {
	name := strings.ToLower(c.Command)
	switch name {
	case "assigntoloadbalancerrule", "removefromloadbalancerrule", "updateloadbalancerrule",
		"deleteloadbalancerrule":
		s.rules[c.Params["id"]] = true
	case "createlbstickinesspolicy", "createautoscalevmgroup", "assigncerttoloadbalancer", "removecertfromloadbalancer":
		s.rules[c.Params["lbruleid"]] = true
	case "deletelbstickinesspolicy", "updatelbstickinesspolicy":
		s.policy[c.Params["id"]] = true
	default:
		s.all = s.all || !slices.Contains(harmless(), name)
	}
}

// harmless commands change nothing of the rules that there are. Rules themselves are listed at every look.
func harmless() []string {
	return []string{"queryasyncjobresult", "createloadbalancerrule", "createloadbalancer", "createaccount",
		"registeruserkeys", "updateresourcelimit", "createcondition", "createautoscalepolicy",
		"createautoscalevmprofile", "associateipaddress", "createvpc", "createportforwardingrule",
		"deleteportforwardingrule", "createfirewallrule", "generateusagerecords", "createautoscalevmgroup",
		// groups: those rules are read anew whenever time went by, and when a command names one
	}
}
