package autoscale

import "time"

// Hooks are the rules of a group's life. Who plants faults puts its own around those of Sound.
type Hooks struct {
	// Editable says whether a group's bounds, interval and policies may change now.
	Editable func(g *Group) bool
	// Missing is how many members the monitor makes for a group.
	Missing func(g *Group) int
	// Fits says whether a group has room for n more members.
	Fits func(g *Group, n int) bool
	// Resting says whether a policy that acted so long ago is in its quiet time.
	Resting func(p *ScalePolicy, since time.Duration) bool
}

// Sound are the rules that all releases have.
func Sound() Hooks {
	return Hooks{
		Editable: func(g *Group) bool { return g.Disabled() },
		Missing:  func(g *Group) int { return max(0, g.Min-available(g)) },
		Fits:     func(g *Group, n int) bool { return available(g)+n <= g.Max },
		Resting: func(p *ScalePolicy, since time.Duration) bool {
			return since < time.Duration(p.Quiet)*time.Second
		},
	}
}
