package objects

import (
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Billed is the rule as it is billed.
func (r *Rule) Billed() watch.Billed {
	return watch.Billed{Name: r.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindLB, ID: r.InternalID}}
}

// Billed is the address as it is billed.
func (a *Address) Billed() watch.Billed {
	return watch.Billed{Name: a.IP.String(), Ref: usageprobe.Ref{Kind: usageprobe.KindIP, ID: a.InternalID}}
}

// Billed is the network as it is billed.
func (n *Network) Billed() watch.Billed {
	return watch.Billed{Name: n.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindNetwork, ID: n.InternalID}}
}

// Billed is the VPC as it is billed.
func (v *VPC) Billed() watch.Billed {
	return watch.Billed{Name: v.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindVPC, ID: v.InternalID}}
}

// Running and Allocated are the VM as its running and its allocated time are billed.
func (vm *VM) Running() watch.Billed {
	return watch.Billed{Name: vm.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindVMRunning, ID: vm.InternalID}}
}

// Allocated is the VM as its allocated time is billed.
func (vm *VM) Allocated() watch.Billed {
	return watch.Billed{Name: vm.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindVMAllocated, ID: vm.InternalID}}
}

// Backup is the VM as its backups are billed.
func (vm *VM) Backup() watch.Billed {
	return watch.Billed{Name: vm.Name, Ref: usageprobe.Ref{Kind: usageprobe.KindBackup, ID: vm.InternalID}}
}
