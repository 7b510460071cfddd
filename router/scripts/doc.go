// Package scripts runs a CloudStack release's own virtual router scripts (a systemvm tree), unmodified, off a router:
// in a sandbox of namespaces with a root directory of its own, fed with the files that the management server would
// send, driving a real HAProxy.
//
// It is not a model of the scripts (that is package router), ships none of them and judges nothing: a Report says what
// happened to the files and to HAProxy. The script's exit status is reported and never believed; it is 0 for masked
// changes and for refused files alike. Addresses, ACLs, DHCP, VPN and redundancy parts of the scripts find nothing to
// do here.
//
// The one thing to know before changing it: the sandbox is this very program, started again. Its first process composes
// the root, gives up the power to mount, and stays as process 1 of a pid namespace; the `systemctl` that the scripts
// call starts, for HAProxy, again this program under another name. So main, and TestMain of every package that opens a
// VR, must call MaybeChild before anything else, and whatever ends process 1 ends everything in the sandbox.
//
// # What is looked for where
//
// The tree is a directory with debian/opt/cloud (a release's systemvm folder), or one with opt/cloud or
// systemvm/debian/opt/cloud in it. The interpreter is the given one, else the first of python3, /usr/bin/python3,
// python2.7 and python2 that parses the tree's scripts and can import netaddr, if they import it. netaddr is found
// where that interpreter finds it: its distribution's packages, the virtual environment whose bin/python3 was given, or
// the given PythonPath. HAProxy is the given one, else the one on PATH or in /usr/sbin.
package scripts
