package lb

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(lbCommands(), internalCommands(), certCommands(), bindingCommands(), stickinessCommands())
}
