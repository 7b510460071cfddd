package site

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(infoCommands(), jobCommands(), eventCommands(), capacityCommands())
}
