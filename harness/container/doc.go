// Package container is the target that starts CloudStack's simulator image itself: a container with a management
// server, its database and a usage server, made ready for a run. From there on it is an existing zone (package
// existing), and everything that judges is there.
//
// It is not an orchestrator: one container on one engine, found as testcontainers-go finds it (DOCKER_HOST, the current
// context, the default sockets). The reaper of testcontainers-go is off: it is one more image to pull, wants to be
// privileged, and was seen to reap early (testcontainers-go#3743, #3867). Instead every container has labels that name
// its owner, and CleanStale removes those whose owner is gone.
//
// The one thing to know before changing it: what runs inside is started through exec, and an exec outlives the
// connection that started it. Every helper inside therefore ends when its standard input ends, which the engine closes
// when we die.
package container
