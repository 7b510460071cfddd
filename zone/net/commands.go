package net

import (
	"slices"
)

// Commands are the commands of the room.
func Commands() []command {
	return slices.Concat(offeringCommands(), networkOfferingCommands(), vpcCommands(), networkCommands(),
		routerCommands(), addressCommands(), vpnCommands(), aclCommands(), aclItemCommands(), offeringCreateCommands())
}
