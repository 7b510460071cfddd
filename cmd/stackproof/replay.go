package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

func replayCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{Use: "replay FILE", Short: "Serves a trace as a server",
		Long: `Serves the API calls that run --trace recorded (or a recorded api.jsonl), so that a client can be tested against them.
A call gets the next recorded answer to the same command with the same parameters, or to the command. Nobody is
authenticated, nothing changes.`,
		Example: `  stackproof replay calls.jsonl --listen 127.0.0.1:8080`}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address of the API")
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s takes one file, but got %d words", c.CommandPath(), len(args))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error { return replay(c, args[0], listen) }
	return c
}

func replay(c *cobra.Command, file, listen string) error {
	f, err := os.Open(file)
	if err != nil {
		return usage("reading a trace: %w", err)
	}
	handler, err := cloud.Replay(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return usage("%s: %w", file, err)
	}
	ctx := c.Context()
	ears, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return cannotRun(fmt.Errorf("serving the trace: %w", err))
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ears) }()
	fmt.Fprintf(c.OutOrStdout(), "serving %s at http://%s/client/api (Ctrl-C ends it)\n", file, ears.Addr())
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = errors.Join(server.Close(), <-ended)
	}
	if context.Cause(ctx) != nil && errors.Is(context.Cause(ctx), harness.ErrInterrupted) {
		return nil // Ctrl-C is how it ends
	}
	return cannotRun(err)
}
