package tenancy

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(domainCommands(), accountCommands(), userCommands(), keyPairCommands(), limitCommands(),
		configurationCommands(), projectCommands())
}
