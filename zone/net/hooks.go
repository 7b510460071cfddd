package net

import (
	"context"
)

// Hooks are what networks, addresses and routers ask of higher rooms.
type Hooks struct {
	// Ruled says whether any rule is on an address, balanced whether a load balancer rule is.
	Ruled, Balanced func(a *Address) bool
	// InUse says whether an instance has a NIC in a network; running leaves out stopped and destroyed ones.
	InUse func(n *Network, running bool) bool
	// ServiceInUse says whether a network has rules of the service Lb or PortForwarding, dropService removes them.
	ServiceInUse func(n *Network, service string) bool
	DropService  func(ctx context.Context, n *Network, service string) error
	// ReleaseAddress and releaseNetwork remove every rule of what goes.
	ReleaseAddress   func(ctx context.Context, a *Address) error
	ReleaseNetwork   func(ctx context.Context, n *Network) error
	DestroyBalancers func(ctx context.Context, n *Network) error
	// Push sends a network's load balancing to its routers, pushRouter to one of them, started to one that has started.
	Push       func(ctx context.Context, n *Network) error
	PushRouter func(ctx context.Context, r *Router, n *Network) error
	Started    func(ctx context.Context, r *Router) error
}
