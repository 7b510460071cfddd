package result

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Shard says which part of a larger run a result is.
type Shard struct {
	Index int      `json:"index"` // from 0
	Of    int      `json:"of"`
	All   []string `json:"all"` // what all shards together should have a result of
}

// Part is one file to merge. Err says why it could not be read; a run that was killed leaves an empty file, one that
// never started none.
type Part struct {
	Name string
	Run  Run
	Err  error
}

// Merge joins the results of shards into one run. What was planned for any shard, and has no result in any part, is
// missing in the run and fails it; so does a part that could not be read. A scenario with several results keeps the
// worst, and a note says so. Parts of different targets, releases or splits cannot be joined: the error names two of
// them.
func Merge(parts []Part) (Run, error) {
	m := merger{at: map[string]int{}, from: map[string]string{}, shards: map[int]bool{}}
	for _, p := range parts {
		if p.Err != nil {
			m.notes = append(m.notes, fmt.Sprintf("%s could not be read: %v", p.Name, p.Err))
			m.unread = append(m.unread, "results of "+p.Name)
			continue
		}
		if err := m.add(p); err != nil {
			return Run{}, err
		}
	}
	if m.first == "" {
		return Run{}, fmt.Errorf("none of the %d results can be read: %s", len(parts), strings.Join(m.notes, "; "))
	}
	return m.end(), nil
}

type merger struct {
	out      Run
	first    string // name of the first part that could be read
	ends     time.Time
	at       map[string]int    // of an id in out.Results
	from     map[string]string // part that a result is of
	shards   map[int]bool
	of       int
	seeds    []string
	differ   bool
	notes    []string
	unread   []string
	planning []string
}

func (m *merger) add(p Part) error {
	r := p.Run
	if m.first == "" {
		m.first = p.Name
		m.out = Run{
			Schema:  SchemaVersion,
			Target:  r.Target,
			Release: r.Release,
			Seed:    r.Seed,
			Router:  r.Router,
			Started: r.Started,
		}
		m.ends = r.Started
	}
	for _, c := range []struct{ what, have, want string }{{"target", r.Target, m.out.Target},
		{"release", r.Release, m.out.Release}} {
		if c.have != c.want {
			return fmt.Errorf(
				"%s has %s %q and %s has %q: results of different %ss cannot be joined",
				m.first,
				c.what,
				c.want,
				p.Name,
				c.have,
				c.what,
			)
		}
	}
	if err := m.shard(p); err != nil {
		return err
	}
	m.seeds = append(m.seeds, fmt.Sprintf("%s %d", p.Name, r.Seed))
	m.differ = m.differ || r.Seed != m.out.Seed
	if r.Router != m.out.Router {
		m.note(fmt.Sprintf("routers differ: %s has %q, %s has %q", m.first, m.out.Router, p.Name, r.Router))
	}
	if r.Started.Before(m.out.Started) {
		m.out.Started = r.Started
	}
	if end := r.Started.Add(time.Duration(r.Seconds * float64(time.Second))); end.After(m.ends) {
		m.ends = end
	}
	for _, n := range r.Notes {
		m.note(n)
	}
	m.plan(r.Planned)
	for _, c := range r.Results {
		m.plan([]string{c.ID})
		m.result(c, p.Name)
	}
	return nil
}

// shard puts what all shards together planned in front, so that a shard that left no file is missed.
func (m *merger) shard(p Part) error {
	s := p.Run.Shard
	if s == nil {
		return nil
	}
	if m.of != 0 && s.Of != m.of {
		return fmt.Errorf(
			"%s is one of %d shards, others are of %d: results of different splits cannot be joined",
			p.Name,
			s.Of,
			m.of,
		)
	}
	m.of = s.Of
	m.shards[s.Index] = true
	m.plan(s.All)
	return nil
}

func (m *merger) plan(ids []string) {
	for _, id := range ids {
		if !slices.Contains(m.planning, id) {
			m.planning = append(m.planning, id)
		}
	}
}

func (m *merger) note(n string) {
	if !slices.Contains(m.notes, n) {
		m.notes = append(m.notes, n)
	}
}

func (m *merger) result(c Case, from string) {
	i, twice := m.at[c.ID]
	if !twice {
		m.at[c.ID], m.from[c.ID] = len(m.out.Results), from
		m.out.Results = append(m.out.Results, c)
		return
	}
	old := m.out.Results[i]
	m.note(
		fmt.Sprintf(
			"%s has two results, %s in %s and %s in %s: the worse one counts",
			c.ID,
			old.Verdict,
			m.from[c.ID],
			c.Verdict,
			from,
		),
	)
	if Worse(old.Verdict, c.Verdict) != old.Verdict {
		m.out.Results[i], m.from[c.ID] = c, from
	}
}

func (m *merger) end() Run {
	var absent []string
	for i := range m.of {
		if !m.shards[i] {
			absent = append(absent, fmt.Sprintf("%d/%d", i, m.of))
		}
	}
	if len(absent) > 0 {
		m.note("no result of shard " + strings.Join(absent, ", "))
	}
	if m.differ {
		m.note("seeds differ: " + strings.Join(m.seeds, ", "))
	}
	slices.SortStableFunc(m.out.Results, func(a, b Case) int {
		return slices.Index(m.planning, a.ID) - slices.Index(m.planning, b.ID)
	})
	m.out.Planned = append(m.planning, m.unread...)
	m.out.Notes = m.notes
	m.out.Seconds = m.ends.Sub(m.out.Started).Seconds()
	return m.out
}
