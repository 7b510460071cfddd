package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/reports"
)

// sharded takes one part of the chosen scenarios, when one is wanted.
func (o *runOptions) sharded(chosen harness.Catalogue) (harness.Catalogue, *result.Shard, error) {
	if o.shard == "" {
		if o.durations != "" {
			return nil, nil, usage("--durations is for --shard, which is not given")
		}
		return chosen, nil, nil
	}
	s, err := harness.ParseShard(o.shard)
	if err != nil {
		return nil, nil, usage("--shard: %w", err)
	}
	var measured harness.Durations
	if o.durations != "" {
		run, err := readResult(o.durations)
		if err != nil {
			return nil, nil, usage("--durations: %w", err)
		}
		measured = harness.DurationsOf(run)
	}
	part := chosen.Split(s.Of, measured)[s.Index]
	if len(part) == 0 {
		return nil, nil, usage(
			"--shard %s is empty: there are only %d scenarios, so at most as many shards have work",
			s,
			len(chosen),
		)
	}
	return part, &result.Shard{Index: s.Index, Of: s.Of, All: chosen.IDs()}, nil
}

func readResult(path string) (result.Run, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return result.Run{}, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return result.Run{}, fmt.Errorf("%s is empty: the run that should have written it was killed", path)
	}
	run, err := result.Decode(bytes.NewReader(data))
	if err != nil {
		return result.Run{}, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

func mergeCommand() *cobra.Command {
	var files reportFlags
	var text textFlags
	var strict bool
	c := &cobra.Command{Use: "merge FILES...", Short: "Joins the results of shards",
		Long: `Joins JSON results of "run --shard" into one, prints it, and ends with the exit status that one run would have had.
A scenario that was planned for any shard and has no result in any file fails the whole, by name; so does a file that is
absent or cannot be read, which is what a killed run leaves. Of several results of one scenario the worst counts.`,
		Example: `  stackproof merge --json all.json --junit all.xml shard-*.json`}
	f := c.Flags()
	files.add(f)
	text.add(f)
	f.BoolVar(&strict, "strict", false, "known failures change the exit status too")
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%s needs the JSON results to join", c.CommandPath())
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		parts := make([]result.Part, len(args))
		for i, path := range args {
			run, err := readResult(path)
			parts[i] = result.Part{Name: path, Run: run, Err: err}
		}
		run, err := result.Merge(parts)
		if err != nil {
			return usage("%w", err)
		}
		open, err := files.open()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, open.close()) }()
		if err := open.write(run, strict); err != nil {
			return cannotRun(err)
		}
		fmt.Fprint(open.textTo(c), reports.Text(run, text.options(c.OutOrStdout(), strict)))
		if code := run.ExitCode(strict); code != exitOK {
			return &exitError{code: code}
		}
		return nil
	}
	return c
}
