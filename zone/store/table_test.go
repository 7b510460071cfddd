package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

type thing struct {
	uuid string
	id   int64
}

func (t *thing) Key() (string, int64) { return t.uuid, t.id }

func TestTable(t *testing.T) {
	var table Table[*thing]
	a, b, c := &thing{"a", 1}, &thing{"b", 2}, &thing{"c", 3}
	assert.Nil(t, table.ByUUID("a"), "an empty table finds nothing")
	assert.False(t, table.Has(a))
	for _, x := range []*thing{a, b, c} {
		table.Add(x)
	}
	assert.Equal(t, []*thing{a, b, c}, table.All())
	assert.Same(t, b, table.ByUUID("b"))
	assert.Same(t, c, table.ByID(3))

	var seen []*thing
	for _, x := range table.All() { // what is removed on the way does not hide its neighbour
		seen = append(seen, x)
		table.Remove(x)
	}
	assert.Equal(t, []*thing{a, b, c}, seen)
	assert.Empty(t, table.All())
	assert.Nil(t, table.ByUUID("b"))
	assert.Nil(t, table.ByID(2))

	table.Add(a)
	table.Remove(&thing{"a", 1})
	assert.True(t, table.Has(a), "another thing of the same name is not there")
	a.uuid = "z"
	table.Rename(a, "a")
	assert.Nil(t, table.ByUUID("a"))
	assert.Same(t, a, table.ByUUID("z"))
	table.Remove(a)
	assert.Nil(t, table.ByUUID("z"))
}
