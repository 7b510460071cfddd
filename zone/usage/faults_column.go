package usage

import (
	"fmt"
	"slices"
)

// Cell is a column of a table of cloud_usage.
type Cell struct{ Table, Column string }

// written is the value that a column gets: another one where a fault is planted in it.
func (f Faults) written(table, column string, value any) any {
	if !slices.Contains(f.Wrong, Cell{table, column}) {
		return value
	}
	switch v := value.(type) {
	case bool:
		return !v
	case int64:
		return v + 1
	case int:
		return v + 1
	case nil:
		return 1
	}
	return fmt.Sprint("not ", value)
}
