// Package realrouter looks at the virtual routers of a zone that has real ones: haproxy.cfg and haproxy.cfg.new, the
// HAProxy processes, the admin socket, through a command that leads into the router (ssh through the host, usually),
// and where clients' requests land, from addresses of this machine or from SOCKS5 vantage points.
//
// It is not a shell: a fixed script that only reads goes into the router on the command's standard input, so that no
// quoting is needed however many machines are in between. Nothing is written there.
//
// The one thing to know before changing it: of a router's past nothing is known. Which file a worker was started from
// is told from times, and is left open where they do not decide.
package realrouter
