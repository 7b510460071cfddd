package witness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/router"
)

// judging holds the pushes of one step to one router against the API's lists before and after it.
type judging struct {
	w             *Witness
	router        *routerState
	before, after Leaves // of rules
	names         map[string]string
	previous      content // push before them
	revoked       map[string]bool
	bulk          bool // one of them is a router's start: what went before it is not known to the router
}

// all judges pushes, oldest first, and gives the newest one taken apart.
func (j *judging) all(pushes []router.Push) (found []Finding, last content) {
	j.revoked = map[string]bool{}
	for i, p := range pushes {
		c, err := read(p.Raw)
		if err != nil {
			return append(found, Finding{Says: err.Error(), Router: j.router.name, Push: p}), c
		}
		j.bulk = j.bulk || p.Aggregated
		wrong := j.w.frameOf(j.router, c)
		if newest := i == len(pushes)-1; newest {
			wrong = append(wrong, j.newest(c)...)
		} else {
			wrong = append(wrong, j.between(c)...)
		}
		if stranger := j.stranger(c); len(wrong) == 0 && stranger != "" {
			found = append(found, Finding{Says: stranger, Router: j.router.name, Push: p})
		}
		if order := j.order(c); len(wrong) == 0 && order != "" {
			found = append(found, Finding{Says: order, Router: j.router.name, Push: p})
		}
		if len(wrong) > 0 {
			found = append(found, Finding{Says: j.says(wrong[0]), Router: j.router.name, Differences: wrong, Push: p})
		}
		for path, value := range c.leaves {
			if at, is := strings.CutSuffix(path, "/revoked"); is && value == "true" {
				j.revoked[at] = true
			}
		}
		j.previous = c
	}
	if lost := j.unannounced(); len(found) == 0 && lost != "" {
		found = append(found, Finding{Says: lost, Router: j.router.name, Push: pushes[len(pushes)-1]})
	}
	return found, j.previous
}

// live are the leaves of what a push does not take away.
func (c content) live() Leaves {
	rest := maps.Clone(c.leaves)
	for path, value := range c.leaves {
		at, is := strings.CutSuffix(path, "/revoked")
		if is && value == "true" {
			maps.DeleteFunc(rest, func(path, _ string) bool { return within(path, at) })
		}
	}
	return rest
}

// rules leaves the frame out.
func (l Leaves) rules() Leaves {
	rest := maps.Clone(l)
	maps.DeleteFunc(rest, func(path, _ string) bool { return !strings.HasPrefix(path, rulePath("")) })
	return rest
}

// newest must be what the API lists now. It may take away what nobody saw listed: a rule whose creation failed.
func (j *judging) newest(c content) []Difference { return compare(j.after, c.live().rules()) }

// between must say of each field what was true before the step or after it.
func (j *judging) between(c content) (wrong []Difference) {
	for path, value := range c.leaves.rules() {
		was, had := j.before[path]
		is, has := j.after[path]
		switch {
		case had && was == value || has && is == value:
		case strings.HasSuffix(path, "/revoked") && (value == "true" || value == "false"):
		case !had && !has && strings.Contains(path, "/member "): // came and went within the step
		case !had && !has && strings.Contains(path, "/policy "):
		case !had && !has && !strings.Contains(path, "/"):
		case !j.known(path): // of a rule that came and went
		default:
			wrong = append(wrong, Difference{path, is, value})
		}
	}
	slices.SortFunc(wrong, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return wrong
}

// known says whether the API listed the path's rule before or after the step.
func (j *judging) known(path string) bool {
	rule, _, _ := strings.Cut(path, "/")
	return j.before[rule] != "" || j.after[rule] != ""
}

// stranger says what a push takes away that no call can have made: a creation that fails leaves a rule which no list
// shows, but there are no more rules than creations. Where calls are not known it says nothing.
func (j *judging) stranger(c content) string {
	if j.w.o.Calls == nil {
		return ""
	}
	for _, path := range slices.Sorted(maps.Keys(c.leaves)) {
		at, is := strings.CutSuffix(path, "/revoked")
		uuid := strings.TrimPrefix(at, rulePath(""))
		if !is || c.leaves[path] != "true" || strings.Contains(at, "/") || j.w.names[uuid] != "" {
			continue
		}
		if j.w.unlisted[uuid] = true; len(j.w.names)+len(j.w.unlisted) > j.w.creations {
			return fmt.Sprintf("rule %s is taken away by a push, and no call has made it", uuid)
		}
	}
	return ""
}

// order says what came in another order than before: members that stay keep theirs, and those that are new come last
// (cookies and the names of servers follow from it); empty when nothing did. One that was being taken away before and
// is a member now is not looked at: it was left where it was, or is new.
func (j *judging) order(c content) string {
	for rule, now := range c.order {
		before := j.previous.order[rule]
		back := func(ip string) bool {
			path := memberPath(rulePath(rule), ip) + "/revoked"
			return j.previous.leaves[path] == "true" && c.leaves[path] != "true"
		}
		now = slices.DeleteFunc(slices.Clone(now), back)
		stay := slices.DeleteFunc(slices.Clone(before), func(ip string) bool { return !slices.Contains(now, ip) })
		if len(now) >= len(stay) && !slices.Equal(now[:len(stay)], stay) {
			return fmt.Sprintf("rule %s has its members in the order %s, the push before had %s", j.names[rule],
				strings.Join(now, " "), strings.Join(before, " "))
		}
	}
	return ""
}

// unannounced says what left a push without having been revoked in one: its router then keeps what it opened for it.
func (j *judging) unannounced() string {
	if j.bulk || j.w.failing {
		return ""
	}
	for path := range j.before {
		member := strings.Contains(path, "/member ") && strings.Count(path, "/") == 1
		rule, _, _ := strings.Cut(path, "/")
		_, stays := j.after[path]
		switch {
		case stays || path != rule && !member || j.revoked[path] || j.revoked[rule]:
		case path != rule && j.after[rule] == "": // told with its rule
		case !slices.Contains(j.router.networks, j.w.networkOf[strings.TrimPrefix(rule, rulePath(""))]):
			// its network is gone, and with it what the router had
		default:
			return fmt.Sprintf("%s is gone, but no push carries it as revoked", j.title(path))
		}
	}
	return ""
}

// frameOf holds what is around the rules against the NIC that it says it is for.
func (w *Witness) frameOf(s *routerState, c content) []Difference {
	if len(s.frames) == 0 {
		return nil
	}
	have := c.leaves.frame()
	best := -1
	var nearest []Difference
	for _, want := range s.frames {
		if _, told := want["nic.deviceId"]; !told {
			want = maps.Clone(want)
			want["nic.deviceId"] = have["nic.deviceId"] // the number of another NIC says nothing of this one
			if nic := want["nic.nicUuid"]; nic == have["nic.nicUuid"] {
				want["nic.deviceId"] = w.device(nic, have["nic.deviceId"], len(s.frames))
			}
		}
		if wrong := compare(want, have); best < 0 || len(wrong) < best {
			best, nearest = len(wrong), wrong
		}
	}
	return nearest
}

// device is the number of a tier's NIC on its router: they count from 2 in the order in which they were plugged, and
// keep their number.
func (w *Witness) device(nic, said string, tiers int) string {
	if known := w.devices[nic]; known != "" {
		return known
	}
	if n, err := strconv.Atoi(said); err != nil || n < 2 || n > 1+tiers {
		return "2 to " + strconv.Itoa(1+tiers)
	}
	w.devices[nic] = said
	return said
}

// says tells a difference as a person of the story would.
func (j *judging) says(d Difference) string {
	rest, is := strings.CutPrefix(d.Path, rulePath(""))
	uuid, field, inside := strings.Cut(rest, "/")
	switch {
	case !is:
		return fmt.Sprintf("the API says %s %q, the push %q", d.Path, d.API, d.Push)
	case !inside && d.Push == Absent:
		return fmt.Sprintf("rule %s is listed by the API and not carried by the push", j.name(uuid))
	case !inside:
		return fmt.Sprintf("rule %s is carried by the push and not listed by the API", j.name(uuid))
	}
	return fmt.Sprintf("rule %s: the API says %s %q, the push %q", j.name(uuid), strings.ReplaceAll(field, "/", ", "),
		d.API, d.Push)
}

func (j *judging) name(uuid string) string {
	if name := j.names[uuid]; name != "" {
		return name
	}
	return uuid
}

// title is a path of a rule with its name in place of its uuid.
func (j *judging) title(path string) string {
	uuid, field, _ := strings.Cut(strings.TrimPrefix(path, rulePath("")), "/")
	return strings.TrimSpace("rule " + j.name(uuid) + " " + strings.ReplaceAll(field, "/", ", "))
}

// dying are the members that the API does not list any more because their VMs are destroyed and not expunged: their
// mapping stays until then, and so does their place in pushes (cloudstack.md 3.1).
func (w *Witness) dying(ctx context.Context, before, after, have Leaves) (Leaves, error) {
	l := Leaves{}
	for path := range have {
		_, was := before[path]
		_, is := after[path]
		vm, known := w.vms[path]
		if is || !was || !known {
			continue
		}
		found, err := w.o.Cloud.ListVirtualMachines(ctx, cloud.Params{"id": vm})
		if err != nil {
			return nil, err
		}
		if len(found) == 1 && slices.Contains([]string{"Destroyed", "Expunging"}, found[0].State) {
			for field, value := range before {
				if within(field, path) {
					l[field] = value
				}
			}
		}
	}
	return l, nil
}
