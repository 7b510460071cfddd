package cleanup_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
)

func TestOnlyWhatTheLedgerNames(t *testing.T) {
	s := cleanup.OfLedger([]ledger.Entry{
		{Kind: "account", Name: "sp1-acct", Account: "sp1-acct"}, {Kind: "domain", Name: "sp1-domain"},
		{Kind: "vpc", Name: "sp1-vpc", UUID: "ABC"}})
	for name, c := range map[string]struct {
		object inventory.Object
		want   bool
	}{
		"the account": {inventory.Object{Kind: inventory.AccountObj, Name: "sp1-acct",
			Account: "sp1-acct"}, true},
		"what is in it": {inventory.Object{Kind: inventory.VM, Name: "autoScaleVm", Account: "sp1-acct"},
			true},
		"the domain": {inventory.Object{Kind: inventory.Domain, Name: "sp1-domain"}, true},
		"by id, whatever its case": {inventory.Object{Kind: inventory.VPC, ID: "abc", Name: "renamed", Account: "x"},
			true},
		"the same name elsewhere": {inventory.Object{Kind: inventory.VPC, ID: "d", Name: "sp1-vpc", Account: "bob"},
			false},
		"a name that only begins so": {inventory.Object{Kind: inventory.AccountObj, Name: "sp1-acct2",
			Account: "sp1-acct2"}, false},
		"another kind of that name": {inventory.Object{Kind: inventory.Network, Name: "sp1-domain"}, false},
		"somebody else's": {inventory.Object{Kind: inventory.VM, ID: "e", Name: "web", Account: "bob"},
			false},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, s.Owns(c.object)) })
	}
}
