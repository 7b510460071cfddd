package tenancy

import (
	"slices"
)

func Commands() []command {
	return slices.Concat(domainCommands(), accountCommands(), userCommands(), limitCommands(), configurationCommands())
}
