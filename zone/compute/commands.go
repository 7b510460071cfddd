package compute

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(vmCommands(), volumeCommands(), nicCommands(), secondaryCommands(), changeCommands(),
		[]command{uploadVolumeCommand()},
		backupCommands(), simulatorCommands())
}
