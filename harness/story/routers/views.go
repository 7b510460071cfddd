package routers

import (
	"slices"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// draw keeps what was seen of a rule for the report: its clients, and its section at every station.
func (s seen) draw() {
	v := s.t.Views()
	g := GridOf(s.obs, string(s.verdict), s.why)
	g.Rule = s.rule.Called() + ", " + g.Rule
	v.Grids = append(v.Grids, g)
	s.t.drawSection(s.rule.Network.Router(), s.rule.Section(), s.rule.Name, s.files, s.rendered)
}

// mostSections bounds the sections that are drawn.
const mostSections = 12

func (t RouterLooks) drawSection(routerName, section, rule string, files router.Files, rendered router.Rendered) {
	lines := func(file []byte) []string {
		s, ok := router.Listens(file)[section]
		if !ok {
			return nil
		}
		return append([]string{}, s.Lines...)
	}
	one := result.Section{Router: routerName, Name: section, Rule: rule, Push: lines(rendered.File()),
		Written: lines(files.New), Live: lines(files.Live),
		Process: lines(files.Serving), Refusal: files.Refusal}
	views := t.Views()
	all := slices.DeleteFunc(views.Sections, func(o result.Section) bool {
		return o.Router == routerName &&
			o.Name == section
	})
	if len(all) < mostSections {
		all = append(all, one)
	}
	views.Sections = all
}

// drawDifferences draws the sections in which a router is not at its newest push.
func (t RouterLooks) drawDifferences(routerName string, files router.Files, rendered router.Rendered) {
	want, live := router.Listens(rendered.File()), router.Listens(files.Live)
	for _, s := range append(router.Sections(rendered.File()), router.Sections(files.Live)...) {
		w, due := want[s.Name]
		l, there := live[s.Name]
		if s.Kind == "listen" && (due != there || !sameLines(w.Lines, l.Lines)) {
			t.drawSection(routerName, s.Name, "", files, rendered)
		}
	}
}

// GridOf is an observation as a picture.
func GridOf(o dataplane.Observation, verdict, why string) result.Grid {
	g := result.Grid{Rule: o.Target.Rule, Control: o.Control.Rule, Verdict: verdict, Reason: why}
	index := map[string]int{}
	number := func(backends []string) []int {
		row := make([]int, len(backends))
		for i, b := range backends {
			at, known := index[b]
			if !known {
				at = len(g.Backends)
				index[b] = at
				g.Backends = append(g.Backends, b)
			}
			row[i] = at
		}
		return row
	}
	number(slices.Sorted(slices.Values(append(slices.Clone(o.Control.Backends), o.Target.Backends...))))
	for _, tr := range o.Traces {
		g.Clients = append(g.Clients, result.GridRow{Client: tr.Client.String(), Rule: number(tr.Target),
			Control: number(tr.Control)})
	}
	return g
}
