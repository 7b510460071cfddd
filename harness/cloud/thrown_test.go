package cloud_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/cloud"
)

// TestThrown tells a server's exception from a refusal with reasons.
func TestThrown(t *testing.T) {
	for text, want := range map[string]bool{
		// confirmed.md 36
		`Cannot invoke "String.equals(Object)" because the return value of "com.cloud.network.dao.LoadBalancerVO.` +
			`getLbProtocol()" is null`: true,
		`Cannot read field "id" because "account" is null`:                                                      true,
		"java.lang.NullPointerException":                                                                        true,
		"Unexpected exception: java.util.ConcurrentModificationException":                                       true,
		"DB Exception on: com.mysql.cj.jdbc.ClientPreparedStatement: INSERT INTO load_balancer_vm_map":          true,
		"Duplicate entry '3-4-10.1.1.7' for key 'load_balancer_id'":                                             true,
		"You have an error in your SQL syntax; check the manual":                                                true,
		"Job failed due to exception com.cloud.exception.InsufficientServerCapacityException: no host has room": false,
		"Unable to remove load balancer rule 2":                                                                 false,
		"protocol TCP is not in valid protocols [tcp, udp, tcp-proxy, ssl]":                                     false,
		"Cannot invoke this command on a rule with a group":                                                     false,
		"Cannot delete load balancer rule 8 because it is being used by 1 Autoscale VM group.":                  false,
		"Invalid algorithm: foo": false,
	} {
		err := fmt.Errorf("changing: %w", &cloud.Error{Command: "updateLoadBalancerRule", Code: 530, Text: text})
		assert.Equal(t, want, cloud.IsThrown(err), text)
	}
	assert.False(t, cloud.IsThrown(errors.New("java.lang.NullPointerException")), "no answer of a server")
	assert.False(t, cloud.IsThrown(nil))
}
