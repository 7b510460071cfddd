package site

import (
	"slices"
)

// WholeCommands are those of a zone that was opened whole, beside Commands.
func WholeCommands() []command { return wholeCommands() }

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(infoCommands(), jobCommands(), eventCommands(), capacityCommands(), tagCommands(),
		emptyCommands())
}
