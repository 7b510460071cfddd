package objects

import (
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

func billed(kind usageprobe.Kind, id int64, name string) watch.Billed {
	return partBilled(kind, id, "", name)
}

func partBilled(kind usageprobe.Kind, id int64, part, name string) watch.Billed {
	return watch.Billed{Name: name, Ref: usageprobe.Ref{Kind: kind, ID: id, Part: part}}
}

// Billed is the rule as it is billed.
func (r *Rule) Billed() watch.Billed { return billed(usageprobe.KindLB, r.InternalID, r.Name) }

// Billed is the address as it is billed.
func (a *Address) Billed() watch.Billed {
	return billed(usageprobe.KindIP, a.InternalID, a.IP.String())
}

// Billed is the network as it is billed.
func (n *Network) Billed() watch.Billed { return billed(usageprobe.KindNetwork, n.InternalID, n.Name) }

// Billed is the VPC as it is billed.
func (v *VPC) Billed() watch.Billed { return billed(usageprobe.KindVPC, v.InternalID, v.Name) }

// Running and Allocated are the VM as its running and its allocated time are billed.
func (vm *VM) Running() watch.Billed { return billed(usageprobe.KindVMRunning, vm.InternalID, vm.Name) }

// Allocated is the VM as its allocated time is billed.
func (vm *VM) Allocated() watch.Billed {
	return billed(usageprobe.KindVMAllocated, vm.InternalID, vm.Name)
}

// Backup is the VM as its backups are billed.
func (vm *VM) Backup() watch.Billed { return billed(usageprobe.KindBackup, vm.InternalID, vm.Name) }
