package metering

func Commands() []command { return usageCommands() }
