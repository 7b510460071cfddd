package metering

// Commands are the commands of the room.
func Commands() []command { return usageCommands() }
