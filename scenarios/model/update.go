package model

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
)

// update carries out the steps that change a rule or its group.
func (w *walker) update(s Step, o *object) error {
	ctx, c := w.t.Context(), o.owner.Cloud
	switch s.Verb {
	case Rename:
		_, err := c.UpdateLoadBalancerRule(ctx, o.id, cloud.Params{"name": w.t.Unique(s.Object)})
		return err
	case Balance:
		_, err := c.UpdateLoadBalancerRule(ctx, o.id, cloud.Params{"algorithm": s.Word})
		return err
	case Wrap:
		_, err := c.UpdateLoadBalancerRule(ctx, o.id, cloud.Params{"protocol": s.Word,
			"algorithm": next(w.m.rules[s.Object].algorithm)})
		return err
	case Certify:
		_, err := c.Job(ctx, "assignCertToLoadBalancer", cloud.Params{"lbruleid": o.id,
			"certid": o.owner.Certificate().ID}, nil)
		return err
	case Grow:
		o.group.Resize(large, large)
		return nil
	}
	return fmt.Errorf("step %q is not known", s)
}

// enable enables a group. One that grew meanwhile gets its further member.
func (w *walker) enable(s Step, o *object) error {
	if _, err := o.owner.Cloud.EnableAutoScaleVMGroup(w.t.Context(), o.group.GroupID); err != nil {
		return err
	}
	if r := w.m.rules[s.Object]; r.size == large && !r.grown {
		w.t.AwaitMembers(o.group)
	}
	return nil
}

// move carries out the steps of a customer.
func (w *walker) move(s Step) error {
	own := w.owners[s.Object]
	vm := own.vms[0]
	switch s.Verb {
	case Restart:
		if vpc := own.network.VPC; vpc != nil {
			vpc.Restart(true)
		} else {
			own.network.Restart(true)
		}
	case Halt:
		vm.Stop()
	case Start:
		vm.Start()
	case Join:
		if own.second == nil {
			own.second = own.Isolated()
		}
		vm.Join(own.second)
	case Leave:
		vm.NICs()[1].Remove()
	}
	return nil
}
