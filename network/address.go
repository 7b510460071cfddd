package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// settings are written into every namespace. Families that the kernel lacks are skipped.
func settings() [][2]string {
	return [][2]string{
		{"ipv4/ip_forward", "1"},
		{"ipv6/conf/all/forwarding", "1"},
		// HAProxy is configured with a public address before or after the address exists.
		{"ipv4/ip_nonlocal_bind", "1"},
		{"ipv6/ip_nonlocal_bind", "1"},
		// Replies leave through the one route there is; a strict filter inherited from the host would drop requests.
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
		// Thousands of short connections a second from one address.
		{"ipv4/ip_local_port_range", "10240 65535"},
		{"ipv4/tcp_tw_reuse", "1"},
		// A port below 1024 is nobody else's in here, also for a HAProxy that has dropped its privileges.
		{"ipv4/ip_unprivileged_port_start", "0"},
	}
}

// writeSysctls must run on the namespace's thread: /proc/sys/net shows the namespace of the thread that opens a file.
// In a container /proc/sys may be read-only; the defaults then do for load balancing, but the router does not forward.
func writeSysctls() error {
	for _, s := range settings() {
		err := os.WriteFile("/proc/sys/net/"+s[0], []byte(s[1]), 0o644)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EROFS) {
			return fmt.Errorf("set sysctl net/%s to %s: %w", s[0], s[1], err)
		}
	}
	return nil
}

// EnsureAddress gives the namespace the address as a single-host address (/32, /128) on its loopback. It may be called
// again.
func (n *Namespace) EnsureAddress(ctx context.Context, a netip.Addr) error {
	return n.change(ctx, "add address", a, func(lo netlink.Link, addr *netlink.Addr) error {
		return n.handle.AddrReplace(lo, addr)
	})
}

// RemoveAddress takes an address of EnsureAddress away. An address that is not there is no error.
func (n *Namespace) RemoveAddress(ctx context.Context, a netip.Addr) error {
	return n.change(ctx, "remove address", a, func(lo netlink.Link, addr *netlink.Addr) error {
		err := n.handle.AddrDel(lo, addr)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			return nil
		}
		return err
	})
}

func (n *Namespace) change(ctx context.Context, what string, a netip.Addr,
	f func(netlink.Link, *netlink.Addr) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a = a.Unmap()
	if !a.IsValid() {
		return fmt.Errorf("%s: %s: not an address", n.name, what)
	}
	select {
	case <-n.closing:
		return fmt.Errorf("%s: %s %s: %w", n.name, what, a, ErrClosed)
	default:
	}
	// The loopback is link 1 of every namespace (LOOPBACK_IFINDEX of the kernel).
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1, Name: "lo"}}
	addr := &netlink.Addr{IPNet: hostNet(a)}
	if a.Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	if err := f(lo, addr); err != nil {
		return fmt.Errorf("%s: %s %s: %w", n.name, what, a, err)
	}
	return nil
}

func hostNet(a netip.Addr) *net.IPNet {
	return prefixNet(netip.PrefixFrom(a, a.BitLen()))
}

func prefixNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
