package harness

import "github.com/stackproof/stackproof/harness/result"

// Troubled are routers that know when they themselves did not work, such as those whose scripts crashed: what such a
// router shows decides nothing, and the API tells no more of it than that a change failed.
type Troubled interface {
	Troubles() []error
}

// troubles takes a pass away from a run whose routers did not work, and says why an undecided one is undecided.
func troubles(t *Attempt) {
	routers, ok := t.site.Routers.(Troubled)
	if !ok {
		return
	}
	for _, err := range routers.Troubles() {
		if t.verdict == result.Inconclusive {
			t.reason += "; " + err.Error()
		}
		t.judge(result.Inconclusive, err.Error())
		t.Note("a router in trouble", "%v", err)
	}
}
