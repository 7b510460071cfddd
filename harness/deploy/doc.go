// Package deploy sets up an advanced simulator zone on a bare management server: the calls of marvin's deployDataCenter
// with the values of setup/dev/advanced.cfg (4.20.0.0), and then the settings that usage tests need.
//
// It is not a general installer: hypervisors are simulated, there is one zone, and nothing that exists is changed
// beyond being enabled.
//
// The one thing to know before changing it: every step looks before it creates, so that a deployment that was cut off
// at any moment can be started again and goes on where it stopped.
package deploy
