package compute

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(vmCommands(), volumeCommands(), nicCommands(), secondaryCommands(), []command{uploadVolumeCommand()},
		backupCommands(), simulatorCommands())
}
