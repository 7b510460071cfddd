package container

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// local says whether ports that the engine publishes on loopback are on ours. They are not when the engine is reached
// over a network, nor when we are in a container ourselves and have been given the engine's socket. That a machine has
// /.dockerenv is no proof of the latter, which is all that testcontainers-go asks for: whoever sees the engine's bridge
// is not inside.
func (e *engine) local(ctx context.Context) bool {
	if !strings.HasPrefix(e.DaemonHost(), "unix://") {
		return false
	}
	if _, err := os.Stat("/.dockerenv"); err != nil {
		return true
	}
	bridge, err := e.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if err != nil {
		return false
	}
	_, err = net.InterfaceByName(bridge.Network.Options["com.docker.network.bridge.name"])
	return err == nil
}

// placed is a container whose address we know better than testcontainers-go does.
type placed struct {
	*testcontainers.DockerContainer
	local bool
}

// Host is where its ports are.
func (p placed) Host(ctx context.Context) (string, error) {
	if p.local {
		return "127.0.0.1", nil
	}
	return p.DockerContainer.Host(ctx)
}

func (p placed) url(ctx context.Context, port string) (string, error) {
	host, err := p.Host(ctx)
	if err != nil {
		return "", fmt.Errorf("asking for the container's address: %w", explain(err))
	}
	at, err := p.MappedPort(ctx, port)
	if err != nil {
		return "", fmt.Errorf("asking for the container's ports: %w", explain(err))
	}
	return "http://" + net.JoinHostPort(host, at.Port()) + "/client/api", nil
}
