package zone

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKeyPairs: where a user may have several pairs, a new one leaves the former in force, and each can be deleted.
// Elsewhere a new pair is the only one, and nobody lists or deletes any.
func TestKeyPairs(t *testing.T) {
	for name, several := range map[string]bool{"4.22.1.0": false, "main": true} {
		b := newBench(t, name)
		user := b.z.tenancy.Admin
		first := user.APIKey
		made, ok := b.call("registerUserKeys", "id="+user.UUID)["userkeys"].(map[string]any)
		require.True(t, ok, name)
		assert.Equal(t, user.APIKey, made["apikey"], name)
		_, _, stays := b.z.tenancy.KeyOwner(first)
		assert.Equal(t, several, stays, name)
		_, secret, _ := b.z.tenancy.KeyOwner(user.APIKey)
		assert.Equal(t, made["secretkey"], secret, name)
		if !several {
			assert.NotContains(t, made, "id", name)
			assert.Equal(t, 432, b.refused("listUserKeys", "userid="+user.UUID).Code, name)
			continue
		}
		listed, ok := b.call("listUserKeys", "userid="+user.UUID)["userapikey"].([]any)
		require.True(t, ok, name)
		require.Len(t, listed, 2)
		assert.Equal(t, first, listed[0].(obj)["apikey"])
		assert.Equal(t, made["id"], listed[1].(obj)["id"])
		b.call("deleteUserKeys", "keypairid="+listed[1].(obj)["id"].(string))
		_, _, stays = b.z.tenancy.KeyOwner(made["apikey"].(string))
		assert.False(t, stays, "the deleted pair opens nothing any more")
		_, _, stays = b.z.tenancy.KeyOwner(first)
		assert.True(t, stays, "the other pair goes on")
		assert.Equal(t, 431, b.refused("deleteUserKeys", "keypairid="+listed[1].(obj)["id"].(string)).Code)
	}
}

// TestAnswersOfMain: the branch of the next release answers more of networks, VPCs and NICs.
func TestAnswersOfMain(t *testing.T) {
	for name, there := range map[string]bool{"4.22.1.0": false, "main": true} {
		b := newBench(t, name)
		b.vpcSite(1)
		for command, fields := range map[string][]string{
			"listVPCs":     {"vpcofferingconservemode", "keepmacaddressonpublicnic"},
			"listNetworks": {"keepmacaddressonpublicnic"},
		} {
			key := map[string]string{"listVPCs": "vpc", "listNetworks": "network"}[command]
			for _, field := range fields {
				_, has := b.one(command, key)[field]
				assert.Equal(t, there, has, "%s %s %s", name, command, field)
			}
		}
		nics, ok := b.one("listVirtualMachines", "virtualmachine")["nic"].([]any)
		require.True(t, ok)
		_, has := nics[0].(obj)["enabled"]
		assert.Equal(t, there, has, name)
	}
}
