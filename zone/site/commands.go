package site

import (
	"slices"
)

func Commands() []command {
	return slices.Concat(infoCommands(), jobCommands(), eventCommands(), capacityCommands())
}
