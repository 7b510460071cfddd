// Command stackproof proves, or disproves, that an Apache CloudStack release bills and balances what its API says.
//
// This package is the wiring: verbs, flags, exit codes. What a run does is in harness, what is tested in scenarios.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-sql-driver/mysql"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router/scripts"
)

func main() {
	scripts.MaybeChild()
	// What the driver would log of lost connections is in the errors that it returns.
	_ = mysql.SetLogger(&mysql.NopLogger{}) // refuses nil only
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command without the process: everything but the exit.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := interruptible(errs)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var ended *exitError
	if errors.As(err, &ended) {
		if ended.err != nil {
			fmt.Fprintln(errs, "stackproof:", ended.err)
		}
		return ended.code
	}
	fmt.Fprintln(errs, "stackproof:", err)
	return exitUsage
}

// Exit codes, as the README documents them.
const (
	exitOK           = 0
	exitFailure      = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitCannotRun    = 4
)

// exitError ends the program with a code; without an error nothing more is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// cannotRun says that the work could not be done at all. Where it was done in a user namespace, only the status is
// left.
func cannotRun(err error) error {
	if err == nil {
		return nil
	}
	var ran *network.ReexecutedError
	if errors.As(err, &ran) {
		return &exitError{code: ran.Status}
	}
	return &exitError{exitCannotRun, err}
}

// tryNamespaces makes network namespaces possible where it can. Where it cannot, trying the capability says so; the
// error is only that the program has run already, in a user namespace.
func tryNamespaces() error {
	err := network.Enter()
	if errors.As(err, new(*network.ReexecutedError)) {
		return err
	}
	return nil
}

// usage says that the command line is wrong.
func usage(format string, a ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, a...)}
}
