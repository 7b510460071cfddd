package firewall

func Commands() []command { return firewallCommands() }
