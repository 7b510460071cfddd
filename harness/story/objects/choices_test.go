package objects

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/cloud"
)

func TestAnybodysOffering(t *testing.T) {
	for name, o := range map[string]cloud.ServiceOffering{
		"customised": {Iscustomized: true}, "of the system": {Issystem: true}, "another domain's": {Domainid: "d"},
		"for tagged hosts":   {Hosttags: "ssd"},
		"for tagged storage": {Storagetags: "ssd"}, "another zone's": {Zoneid: "z1,z2"},
	} {
		assert.False(t, anybodys(&o, "z3"), name)
	}
	for name, o := range map[string]cloud.ServiceOffering{"plain": {}, "of several zones": {Zoneid: "z1,z3"}} {
		assert.True(t, anybodys(&o, "z3"), name)
	}
}
