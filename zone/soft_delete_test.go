package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDeletedSoftly: where rules are deleted softly their rows stay with a date, lists by their id are empty, and
// commands on them are refused by who carries them out. Elsewhere the check of parameters refuses all.
func TestDeletedSoftly(t *testing.T) {
	for name, c := range map[string]struct {
		instances, rows int
		text            string
	}{
		"4.22.1.0": {431, 0, "entity does not exist"},
		"main":     {530, 1, "Unable to find load balancer rule: 1"},
	} {
		b := newBench(t, name)
		site := b.vpcSite(1)
		gone := b.rule(b.address(site.vpc), site.tier, "A", 80)
		b.job("assignToLoadBalancerRule", "id="+gone, "virtualmachineids="+site.vms[0])
		b.job("deleteLoadBalancerRule", "id="+gone)
		if c.rows == 0 {
			assert.Equal(t, 431, b.refused("listLoadBalancerRules", "id="+gone).Code, name)
		} else {
			assert.Empty(t, b.call("listLoadBalancerRules", "id="+gone), name)
		}
		assert.Equal(t, c.instances, b.refused("listLoadBalancerRuleInstances", "id="+gone).Code, name)
		refused := b.refused("deleteLoadBalancerRule", "id="+gone)
		assert.Equal(t, 431, refused.Code, name)
		assert.Contains(t, refused.Text, c.text, name)
		assert.Equal(t, 431, b.refused("createLBStickinessPolicy", "lbruleid="+gone, "methodname=SourceBased",
			"name=p").Code, name)
		assert.Equal(t, c.rows, b.count("SELECT COUNT(*) FROM cloud.load_balancing_rules"), name)
		if c.rows > 0 {
			for _, table := range []string{"firewall_rules", "load_balancer_vm_map"} {
				assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud."+table+" WHERE removed IS NOT NULL"), table)
			}
			assert.Equal(t, 1, b.count("SELECT COUNT(*) FROM cloud.event WHERE state='Scheduled' AND description="+
				"'Deleting load balancer with ID: "+gone+"'"))
		}
	}
}
