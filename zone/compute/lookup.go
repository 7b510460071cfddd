package compute

import (
	"github.com/stackproof/stackproof/zone/kernel"
)

// Finders find the room's objects by what stands after "uuid:" in a parameter's type.
func (mgr *Manager) Finders() map[string]func(uuid string) bool {
	return map[string]func(string) bool{
		"vm":     func(u string) bool { return mgr.VMByUUID(u) != nil },
		"volume": func(u string) bool { return mgr.VolumeByUUID(u) != nil },
	}
}

// VMByUUID finds the instance with a uuid, removed ones included; nil for none.
func (mgr *Manager) VMByUUID(u string) *VM {
	return mgr.VMs.ByUUID(u)
}

// VolumeByUUID finds the volume with a uuid, removed ones included; nil for none.
func (mgr *Manager) VolumeByUUID(u string) *Volume {
	return mgr.Volumes.ByUUID(u)
}

// VMParam is the instance that a parameter names.
func VMParam(mgr *Manager, c *kernel.Call, name string) (*VM, error) {
	return kernel.Lookup(c, name, mgr.VMByUUID)
}

func volumeParam(mgr *Manager, c *kernel.Call, name string) (*Volume, error) {
	return kernel.Lookup(c, name, mgr.VolumeByUUID)
}
