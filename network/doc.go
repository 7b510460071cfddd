// Package network gives a virtual router its surroundings: network namespaces, the veth pairs and routes between them,
// backends that answer at guest addresses and clients that have source addresses of their own.
//
// It is not a model of CloudStack's networks: it knows nothing of rules, tiers or pushes, and it never touches a link,
// route or address of the namespace that the process was started in.
//
// The one thing to know before changing it: a namespace has no name in the file system. It lives as long as the one OS
// thread that holds it (and the sockets and links inside it), so a killed process leaves nothing behind. That thread
// must never go back to the Go scheduler, and a process started inside the namespace must be started by that thread,
// because the kernel ties the "die with your parent" signal to the thread that forked.
package network
