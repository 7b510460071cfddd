package firewall

// Commands are the commands of the room.
func Commands() []command { return firewallCommands() }
