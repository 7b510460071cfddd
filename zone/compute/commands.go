package compute

import (
	"slices"
)

func Commands() []command {
	return slices.Concat(vmCommands(), volumeCommands(), nicCommands(), []command{uploadVolumeCommand()}, backupCommands(), simulatorCommands())
}
