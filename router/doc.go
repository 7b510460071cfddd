// Package router is a CloudStack virtual router's load balancing: it reads the LoadBalancerConfigCommand that a
// management server pushes, renders haproxy.cfg as the release's HAProxyConfigurator does, applies the file with the
// release's router rules, runs a real HAProxy on the live file and reads its admin socket.
//
// It is not a router: no addresses of its own (a Host gives them), no firewall, DHCP or VPN, no TLS certificates
// (offloading on the router exists from 4.22, #11468). It never alters the file that it gives to HAProxy.
//
// The one thing to know before changing it: the bytes matter. Up to 4.19.1 the router compares the new file with the
// live one as two sets of lines (CsFile.py@4.19.1.0, #9822), so a tidier rendering, a dropped blank or another line
// order changes which pushes reach HAProxy. testdata/conformance/haproxy holds what the real generator writes.
package router
