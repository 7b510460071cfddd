package net

import (
	"slices"
)

func Commands() []command {
	return slices.Concat(offeringCommands(), networkOfferingCommands(), vpcCommands(), networkCommands(), routerCommands(), addressCommands(), vpnCommands())
}
