package lb

import (
	"slices"
)

func Commands() []command {
	return slices.Concat(lbCommands(), internalCommands(), certCommands(), stickinessCommands())
}
