package lb

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
)

// eventText is what an event says: before, or from 4.23 on the words after it with the rule's uuid (#12502).
func (mgr *Manager) eventText(c *kernel.Call, before, since string) string {
	if mgr.On(release.EventTextUUID) {
		return fmt.Sprintf(since, cmp.Or(c.Str("id"), c.Target.UUID))
	}
	return before
}

// loadBalancerDetail is what the events of a rule's job name.
func loadBalancerDetail(mgr *Manager, c *kernel.Call) string {
	return mgr.eventText(c, fmt.Sprintf("Load balancer ID: %d", c.Target.ID), "Load balancer ID: %s")
}

// memberIDs are the internal ids of virtualmachineids, as the events name them; null where only vmidipmap is given.
func memberIDs(mgr *Manager, c *kernel.Call) string {
	if !c.Has("virtualmachineids") {
		return "null"
	}
	var ids []string
	for _, u := range c.List("virtualmachineids") {
		if vm := mgr.compute.VMByUUID(u); vm != nil {
			ids = append(ids, fmt.Sprint(vm.ID))
		}
	}
	return strings.Join(ids, ",")
}
