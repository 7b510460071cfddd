package container

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	mobycontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// start runs the container and waits until the management server answers on both ports.
func (b *box) start(ctx context.Context) error {
	if err := b.engine.pull(ctx, b.o.Image, b.o.Say); err != nil {
		return err
	}
	if err := b.makeDir(); err != nil {
		return err
	}
	own, err := labels(b.o.Reuse)
	if err != nil {
		return err
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLabels(maps.Clone(own)),
		testcontainers.WithExposedPorts(apiPort, integrationPort, uiPort),
		testcontainers.WithHostConfigModifier(b.hostConfig),
	}
	if b.o.Reuse {
		options = append(options, testcontainers.WithReuseByName(reuseName(b.o.Image)))
	}
	b.local = b.engine.local(ctx)
	b.o.Say("starting " + b.o.Image)
	b.container, err = testcontainers.Run(ctx, b.o.Image, options...)
	if b.container != nil && (!b.o.Reuse || err != nil) {
		b.onClose("removing the container", func(ctx context.Context) error { return b.engine.remove(ctx, b.id()) })
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("starting image %s: %w", b.o.Image, explain(err))
	}
	return b.awaitAPI(ctx)
}

// hostConfig publishes ports on loopback where the engine is on this machine: the integration port asks for no
// password.
func (b *box) hostConfig(c *mobycontainer.HostConfig) {
	if !b.local {
		return
	}
	if c.PortBindings == nil {
		c.PortBindings = network.PortMap{}
	}
	for _, p := range []string{apiPort, integrationPort, uiPort} {
		c.PortBindings[network.MustParsePort(p)] = []network.PortBinding{loopback()}
	}
}

// loopback is a free port of 127.0.0.1.
func loopback() network.PortBinding {
	return network.PortBinding{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: "0"}
}

// reuseName is the name of the container that --reuse keeps, one for each image.
func reuseName(image string) string {
	return "stackproof-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(image))
}

// labFolder begins the names of folders that lab.CleanStale removes once the process that they name is gone.
const labFolder = "stackproof-lab-"

func (b *box) makeDir() (err error) {
	if b.o.LogDir != "" {
		b.dir = b.o.LogDir
		err = os.MkdirAll(b.dir, 0o755) // logs are for others to read
	} else {
		b.dir, err = os.MkdirTemp("", fmt.Sprintf("%s%d-container-", labFolder, os.Getpid()))
	}
	if err != nil {
		return fmt.Errorf("making the folder of logs: %w", err)
	}
	return nil
}

// awaitAPI waits for both ports: the integration port opens when the server has started as a whole, the other one then
// refuses a call without a signature, where before that there is a servlet's error page or nothing.
func (b *box) awaitAPI(ctx context.Context) error {
	const question = "/client/api?command=listZones&response=json"
	look := func(port string, code int) wait.Strategy {
		return wait.ForHTTP(question).WithPort(port).WithPollInterval(250 * time.Millisecond).WithStartupTimeout(
			b.o.StartTimeout).
			WithStatusCodeMatcher(func(got int) bool { return got == code })
	}
	b.o.Say("waiting for the API")
	at := placed{b.container, b.local}
	err := wait.ForAll(look(integrationPort, http.StatusOK),
		look(apiPort, http.StatusUnauthorized)).WithDeadline(b.o.StartTimeout).WaitUntilReady(ctx, at)
	if err != nil {
		return b.neverUp(ctx, err)
	}
	if b.apiURL, err = at.url(ctx, apiPort); err != nil {
		return err
	}
	b.openURL, err = at.url(ctx, integrationPort)
	return err
}

// neverUp says why the API did not come.
func (b *box) neverUp(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	state, stateErr := b.container.State(ctx)
	if stateErr == nil && !state.Running {
		why := ""
		if state.OOMKilled {
			why = ", killed for want of memory (the simulator needs about 6 GB)"
		}
		return fmt.Errorf("the container ended with status %d before its API was up%s%s", state.ExitCode, why,
			colon(state.Error))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the API was not up within %s: see the logs, or give the server more time (--start-timeout)",
			b.o.StartTimeout)
	}
	return fmt.Errorf("waiting for the API: %w", explain(err))
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + oneLine(s)
}
