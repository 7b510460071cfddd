package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
)

// Facts of the simulator image (tools/docker/Dockerfile and supervisord.conf of CloudStack's source,
// build/replace.properties).
const (
	// Repository is where releases of the image are published, each under its own number.
	Repository = "apache/cloudstack-simulator"
	// DefaultLog is the management server's log: the image runs it from its source tree, in the home folder of root.
	DefaultLog = "/root/vmops.log"
	// DefaultUsageCommand starts the usage server from the source tree (profile usage of usage/pom.xml). The image does
	// not start one.
	DefaultUsageCommand = "cd /root && exec mvn -q -pl usage -Drun process-test-resources"

	apiPort         = "8080/tcp"
	integrationPort = "8096/tcp"
	uiPort          = "5050/tcp"
	databasePort    = 3306
)

// Options say what to start. The zero value with a Release or an Image is good.
type Options struct {
	// Release chooses the published image; what is tested is what the server then says of itself.
	Release string
	// Image is used instead of the published one.
	Image string
	// Reuse takes the container that an earlier run left, and leaves it in turn.
	Reuse bool
	// StartTimeout bounds the wait for the API; default 20 minutes: the image starts its server through Maven.
	StartTimeout time.Duration
	// UsageCommand is run by bash inside; default DefaultUsageCommand.
	UsageCommand string
	// UsageTimeout bounds the wait for the usage server's heartbeat; default 10 minutes.
	UsageTimeout time.Duration
	// ManagementLog is the log's path inside; default DefaultLog.
	ManagementLog string
	// Relay connects its standard streams with the database inside; default DefaultRelay.
	Relay []string
	// LogDir keeps the logs. When it is empty they are kept after a failure only, in a temporary folder that the error
	// names.
	LogDir string
	// Deploy makes a zone on the bare management server; it is called when there is none. The usage server is not yet
	// up.
	Deploy func(ctx context.Context, api *cloud.Client) error
	// Say is told what is being done; nil for nobody.
	Say func(string)
	// Existing is what the run wants of an existing zone. Its API, database, log and owner's consent are filled in.
	Existing existing.Options
}

// Target is a zone in a container that is ready for a run.
type Target struct {
	*existing.Target
	box *box
}

// Close ends the run and removes the container, unless it is kept.
func (t *Target) Close(ctx context.Context) error {
	return errors.Join(t.Target.Close(ctx), t.box.close(ctx))
}

// Open starts the container and makes the zone ready. The error is one line; then nothing is left running, and the logs
// are kept.
func Open(ctx context.Context, o Options) (_ *Target, err error) {
	o.fill()
	b := &box{o: o}
	defer func() {
		if err != nil {
			err = b.failed(context.WithoutCancel(ctx), err)
		}
	}()
	c := o.Existing.Config
	for _, step := range []func(context.Context) error{b.connect, b.start, b.reachDatabase, b.registerKeys, b.deploy,
		b.startUsage, b.followLog} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	c.API = config.API{URL: b.apiURL, Key: b.keys.APIKey, Secret: b.keys.SecretKey}
	c.DSN = config.Words{b.readDSN}
	c.Disposable = true
	// A command and not the file: what the container writes reaches the file a moment later, and a command's reader
	// waits until the output is silent.
	c.Log = config.Log{Command: config.Words{"tail", "-n", "+1", "-F", b.logFile()}, Settle: c.Log.Settle}
	if c.Router.Mode == "" {
		c.Router.Mode = "shadow"
	}
	if c.Clients.Mode == "" {
		c.Clients.Mode = "shadow"
	}
	o.Existing.Config = c
	inner, err := existing.Open(ctx, o.Existing)
	if err != nil {
		return nil, err
	}
	return &Target{inner, b}, nil
}

func (o *Options) fill() {
	if o.Image == "" {
		o.Image = Repository + ":" + o.Release
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 20 * time.Minute
	}
	if o.UsageTimeout == 0 {
		o.UsageTimeout = 10 * time.Minute
	}
	if o.UsageCommand == "" {
		o.UsageCommand = DefaultUsageCommand
	}
	if o.ManagementLog == "" {
		o.ManagementLog = DefaultLog
	}
	if len(o.Relay) == 0 {
		o.Relay = DefaultRelay(databasePort)
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Existing.Name == "" {
		o.Existing.Name = "container"
	}
}

// box is the container with what we hold of it.
type box struct {
	o         Options
	engine    *engine
	container *testcontainers.DockerContainer
	local     bool   // published ports are on our loopback
	dir       string // of the logs
	apiURL    string
	openURL   string // of the integration port
	tunnel    *tunnel
	readDSN   string
	keys      cloud.Keys
	undo      []undo
}

type undo struct {
	what string
	do   func(context.Context) error
}

func (b *box) onClose(what string, do func(context.Context) error) {
	b.undo = append(b.undo, undo{what, do})
}

func (b *box) id() string { return b.container.GetContainerID() }

func (b *box) logFile() string { return filepath.Join(b.dir, "management-server.log") }

// connect finds the engine and clears what killed runs left on it.
func (b *box) connect(ctx context.Context) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	b.engine = e
	b.onClose("closing the connection to the engine", func(context.Context) error { return e.Close() })
	removed, err := e.eachStale(ctx, false, (*engine).remove)
	for _, r := range removed {
		b.o.Say("removed " + r + ", which a killed run had left")
	}
	return err
}

// close undoes everything, last first. Logs that nobody asked for go too.
func (b *box) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	var errs []error
	for _, u := range slices.Backward(b.undo) {
		if err := u.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.what, err))
		}
	}
	b.undo = nil
	if b.o.LogDir == "" && b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}

// closeTime bounds the removal of everything; the engine kills what does not stop.
const closeTime = 2 * time.Minute

// failed keeps the container's logs, removes everything else and makes the error say where the logs are.
func (b *box) failed(ctx context.Context, why error) error {
	if b.container != nil {
		b.keepLogs(ctx)
		if entries, err := os.ReadDir(b.dir); err == nil && len(entries) > 0 {
			b.keepDir()
			why = fmt.Errorf("%w; logs are in %s", why, b.dir)
		}
	}
	return errors.Join(why, b.close(ctx))
}

// keepDir makes the folder of logs stay, under a name that no cleanup takes for a killed run's.
func (b *box) keepDir() {
	if b.o.LogDir == "" {
		kept := strings.Replace(b.dir, labFolder, "stackproof-container-logs-", 1)
		if os.Rename(b.dir, kept) == nil { // else it stays as it is named
			b.dir = kept
		}
		b.o.LogDir = b.dir
	}
}

// keepLogs is best effort: a container that never ran has none.
func (b *box) keepLogs(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	f, err := os.Create(filepath.Join(b.dir, "container.log"))
	if err != nil {
		return
	}
	_ = b.engine.logs(ctx, b.id(), f)
	_ = f.Close()
	for from, into := range map[string]string{usageLog: "usage-server.log",
		b.o.ManagementLog: "management-server.log"} {
		out, code, err := b.engine.exec(ctx, b.id(), "cat", from)
		if err == nil && code == 0 {
			_ = os.WriteFile(filepath.Join(b.dir, into), []byte(out), 0o600)
		}
	}
}
