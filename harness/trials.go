package harness

import (
	"strings"

	"github.com/stackproof/stackproof/harness/result/stats"
)

// trial is one of several that a story consists of, and the condition that they differ in.
type trial struct {
	condition string
	failed    bool
}

// Trial tells a part of the story that is repeated under several conditions; how often it failed under each is reported
// with its interval. One that ended without a verdict does not count.
func (t *Attempt) Trial(condition string, story func()) {
	before, ended := t.failed, false
	defer func() {
		if failed := t.failed > before; ended || failed {
			t.trials = append(t.trials, trial{condition, failed})
		}
	}()
	story()
	ended = true
}

// rates folds trials, those of several repeats too, by condition, in the order in which conditions came.
func rates(trials []trial) []stats.Rate {
	var all []stats.Rate
	at := map[string]int{}
	for _, one := range trials {
		i, ok := at[one.condition]
		if !ok {
			i = len(all)
			at[one.condition] = i
			all = append(all, stats.Rate{Condition: one.condition})
		}
		all[i].Total++
		if one.failed {
			all[i].Failures++
		}
	}
	return all
}

// rateClaim is what trials allow one to say; empty without any.
func rateClaim(id string, all []stats.Rate) string {
	if len(all) == 0 {
		return ""
	}
	words := make([]string, len(all))
	for i, r := range all {
		words[i] = r.String()
	}
	return id + " by condition, each with 95 % confidence: " + strings.Join(words, "; ") + "."
}
