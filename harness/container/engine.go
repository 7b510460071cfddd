package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// engine is a container engine that answers.
type engine struct {
	*client.Client
}

// quiet keeps testcontainers-go from writing to standard error, and turns its reaper off (see the package's comment).
// Both are settings of the process, which it reads once.
var quiet = sync.OnceFunc(func() {
	log.SetDefault(log.NewNoopLogger())
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // fails for an invalid name only
})

// pingTime bounds the wait for an engine's first answer: a socket may be there without anybody behind it.
const pingTime = 15 * time.Second

// connect finds the engine. Without one the error says what to do.
func connect(ctx context.Context) (_ *engine, err error) {
	quiet()
	defer func() {
		if r := recover(); r != nil { // the library's answer to some broken configurations
			err = noEngine(fmt.Errorf("%v", r))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, noEngine(err)
	}
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, errors.Join(noEngine(err), c.Close())
	}
	return &engine{c.Client}, nil
}

// NoEngineError says that no container engine answers.
type NoEngineError struct{ err error }

func (e *NoEngineError) Error() string {
	return "no container engine answers: start Docker (or Podman with its socket), or set DOCKER_HOST (" +
		oneLine(e.err.Error()) + ")"
}

func (e *NoEngineError) Unwrap() error { return e.err }

func noEngine(err error) error { return &NoEngineError{err} }

// Need makes sure that an engine answers and has the image, which it pulls otherwise.
func Need(ctx context.Context, image string, say func(string)) (err error) {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.pull(ctx, image, say)
}

// oneLine makes an engine's answer fit into a message.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 400 {
		s = s[:400] + " ..."
	}
	return s
}

// explain adds the remedy to an engine's refusal.
func explain(err error) error {
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "no space left"):
		return fmt.Errorf("the engine's disk is full: free some (docker system prune) and run again: %w", flat(err))
	case strings.Contains(text, "port is already allocated"), strings.Contains(text, "address already in use"):
		return fmt.Errorf("a port of the container is taken: %w", flat(err))
	}
	return flat(err)
}

// flat is an error whose text is one line.
func flat(err error) error { return &flatError{err} }

type flatError struct{ err error }

func (e *flatError) Error() string { return oneLine(e.err.Error()) }
func (e *flatError) Unwrap() error { return e.err }

// pull gets the image when the engine does not have it. A refusal is not tried again: whoever runs us decides that.
func (e *engine) pull(ctx context.Context, image string, say func(string)) error {
	_, err := e.ImageInspect(ctx, image)
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return fmt.Errorf("asking the engine for image %s: %w", image, explain(err))
	}
	say("pulling " + image)
	var options client.ImagePullOptions
	if auth, err := registryAuth(ctx, image); err == nil {
		options.RegistryAuth = auth
	}
	answer, err := e.ImagePull(ctx, image, options)
	if err == nil {
		err = errors.Join(answer.Wait(ctx), answer.Close())
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	text := strings.ToLower(err.Error())
	switch {
	case strings.Contains(text, "no space left"):
		return fmt.Errorf("pulling %s: %w", image, explain(err))
	case errdefs.IsNotFound(err), strings.Contains(text, "manifest unknown"), strings.Contains(text, "not found"):
		return fmt.Errorf("there is no image %s, neither here nor in the registry: "+
			"check --release, or give --image: %w", image, flat(err))
	case strings.Contains(text, "denied"), strings.Contains(text, "unauthorized"):
		return fmt.Errorf("the registry refuses image %s: log in (docker login), or check its name: %w", image,
			flat(err))
	}
	return fmt.Errorf("image %s is not here and cannot be pulled: check the network, or load it (docker load): %w",
		image, flat(err))
}

// exec runs a command in the container and returns what it wrote and how it ended.
func (e *engine) exec(ctx context.Context, id string, cmd ...string) (output string, code int, err error) {
	var out strings.Builder
	s, err := e.stream(ctx, id, cmd)
	if err != nil {
		return "", 0, err
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	if err := s.CloseWrite(); err != nil {
		return "", 0, fmt.Errorf("running %s in the container: %w", cmd[0], err)
	}
	if _, err := stdcopy.StdCopy(&out, &out, s.Reader); err != nil {
		return out.String(), 0, fmt.Errorf("running %s in the container: %w", cmd[0], err)
	}
	end, err := e.ExecInspect(ctx, s.id, client.ExecInspectOptions{})
	if err != nil {
		return out.String(), 0, fmt.Errorf("running %s in the container: %w", cmd[0], explain(err))
	}
	return out.String(), end.ExitCode, nil
}

// stream is a running command with its standard streams.
type stream struct {
	client.HijackedResponse
	id   string
	once sync.Once
}

// Close may be called twice, and while the stream is read.
func (s *stream) Close() { s.once.Do(s.HijackedResponse.Close) }

func (e *engine) stream(ctx context.Context, id string, cmd []string) (*stream, error) {
	made, err := e.ExecCreate(ctx, id, client.ExecCreateOptions{AttachStdin: true, AttachStdout: true,
		AttachStderr: true, Cmd: cmd})
	if err != nil {
		return nil, fmt.Errorf("running %s in the container: %w", cmd[0], explain(err))
	}
	attached, err := e.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return nil, fmt.Errorf("running %s in the container: %w", cmd[0], explain(err))
	}
	return &stream{HijackedResponse: attached.HijackedResponse, id: made.ID}, nil
}

// logs writes what the container printed.
func (e *engine) logs(ctx context.Context, id string, into io.Writer) error {
	r, err := e.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true,
		Timestamps: true})
	if err != nil {
		return fmt.Errorf("reading the container's log: %w", explain(err))
	}
	_, err = stdcopy.StdCopy(into, into, r)
	return errors.Join(err, r.Close())
}

// remove takes a container away, with the volumes that came with it.
func (e *engine) remove(ctx context.Context, id string) error {
	_, err := e.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case err == nil, errdefs.IsNotFound(err):
		return nil
	case errdefs.IsConflict(err): // somebody is removing it: forced, it is refused for no other reason
		return nil
	}
	return fmt.Errorf("removing container %.12s: %w", id, explain(err))
}

// registryAuth is what docker login left for the image's registry.
func registryAuth(ctx context.Context, image string) (string, error) {
	_, auth, err := testcontainers.DockerImageAuth(ctx, image)
	if err != nil {
		return "", err
	}
	return authconfig.Encode(auth)
}
