package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/inventory"
)

func TestLeaksAreNewAndOurs(t *testing.T) {
	before := inventory.Snapshot{
		Objects: []inventory.Object{{Kind: inventory.VM, ID: "1", Name: "sp1-old", Account: "sp1-acct"},
			{Kind: inventory.VPC, ID: "2", Name: "theirs", Account: "bob"}},
		Rows: []inventory.Row{{Table: "vpc", ID: 1, Name: "theirs", Account: "bob"}},
	}
	for name, c := range map[string]struct {
		objects []inventory.Object
		rows    []inventory.Row
		want    []string
	}{
		"nothing new": {before.Objects, before.Rows, nil},
		"all gone":    {nil, nil, nil},
		"by its account": {[]inventory.Object{{Kind: inventory.VM, ID: "3", Name: "autoScaleVm-x",
			Account: "sp1-acct"}}, nil, []string{"vm autoScaleVm-x (3) of sp1-acct"}},
		"by its own name": {[]inventory.Object{{Kind: inventory.Domain, ID: "4", Name: "sp1-domain"}}, nil,
			[]string{"domain sp1-domain (4)"}},
		"other people's": {[]inventory.Object{{Kind: inventory.VPC, ID: "5", Name: "new", Account: "bob"}},
			nil, nil},
		"a prefix of our prefix": {[]inventory.Object{{Kind: inventory.VPC, ID: "6", Name: "sp12-vpc",
			Account: "sp12-acct"}}, nil, nil},
		"the same id, other kind": {[]inventory.Object{{Kind: inventory.VPC, ID: "1", Name: "sp1-v"}}, nil,
			[]string{"vpc sp1-v (1)"}},
		"a row that lists hide": {nil,
			[]inventory.Row{{Table: "networks", ID: 1, Name: "sp1-t", Account: "sp1-acct"}},
			[]string{"row 1 of cloud.networks (sp1-t) of sp1-acct"}},
		"other people's row": {nil, []inventory.Row{{Table: "networks", ID: 2, Name: "t", Account: "bob"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, inventory.Leaks(before, inventory.Snapshot{Objects: c.objects, Rows: c.rows},
				"sp1"))
		})
	}
	assert.Empty(t, inventory.Leaks(inventory.Snapshot{}, before, ""), "without a prefix nothing is ours")
}
