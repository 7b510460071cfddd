package zone

import "slices"

// commands are those of all rooms, in the order of listApis.
func (z *Zone) commands() []bound {
	return slices.Concat(z.siteCommands(), z.tenancyCommands(), z.netCommands(), z.computeCommands(), z.firewallRoomCommands(), z.lbRoomCommands(),
		z.autoscaleCommands(), z.meteringCommands())
}

func (z *Zone) siteCommands() []command {
	return slices.Concat(z.infoCommands(), z.jobCommands(), z.eventCommands(), z.capacityCommands(), z.deployCommands())
}

func (z *Zone) tenancyCommands() []command {
	return slices.Concat(z.domainCommands(), z.accountCommands(), z.userCommands(), z.limitCommands(), z.configurationCommands())
}

func (z *Zone) netCommands() []command {
	return slices.Concat(z.offeringCommands(), networkOfferingCommands(), z.vpcCommands(), z.networkCommands(), z.routerCommands(), z.addressCommands(), z.vpnCommands())
}

func (z *Zone) computeCommands() []command {
	return slices.Concat(z.vmCommands(), z.volumeCommands(), z.nicCommands(), []command{uploadVolumeCommand()}, z.backupCommands(), z.simulatorCommands())
}

func (z *Zone) firewallRoomCommands() []command { return z.firewallCommands() }

func (z *Zone) lbRoomCommands() []command {
	return slices.Concat(z.lbCommands(), z.internalCommands(), z.certCommands(), z.stickinessCommands())
}

func (z *Zone) meteringCommands() []command { return z.usageCommands() }
