package harness

import "context"

// Gate keeps the scenarios of a shared site apart for the moments in which one of them makes the site fail. Every verb
// is inside the gate while it works; waiting for a usage run is not work.
type Gate interface {
	// Enter waits while another scenario has the site for itself.
	Enter(ctx context.Context) error
	// Leave ends what Enter began.
	Leave()
	// Alone waits until no other scenario works, and keeps them waiting.
	Alone(ctx context.Context) error
	// Together ends what Alone began; without that it does nothing.
	Together(ctx context.Context) error
}

// enter is called when a verb begins.
func (t *Attempt) enter() {
	if t.site == nil || t.site.Gate == nil {
		return
	}
	t.Must(t.site.Gate.Enter(t.ctx), "waiting for another scenario that has the site for itself")
}

// exit is called when a verb ends.
func (t *Attempt) exit() {
	if t.site != nil && t.site.Gate != nil {
		t.site.Gate.Leave()
	}
}

// inside does something of the scenario's clean-up inside the gate.
func (t *Attempt) inside(ctx context.Context, do func(context.Context) error) error {
	if t.site == nil || t.site.Gate == nil {
		return do(ctx)
	}
	if err := t.site.Gate.Enter(ctx); err != nil {
		return err
	}
	defer t.site.Gate.Leave()
	return do(ctx)
}
