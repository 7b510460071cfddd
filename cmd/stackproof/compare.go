package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/harness/result"
)

func compareCommand() *cobra.Command {
	var path string
	var newOnly bool
	c := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "Compares two audits, or two runs: before and after an upgrade, or last night and tonight",
		Long: `Reads the JSON of two audits of one site, or of two runs, and says what is new, gone and unchanged.

Exit status: 0 nothing is worse, 1 something is worse, or missing, 2 wrong use.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage("%s needs two files: the earlier one and the later one", c.CommandPath())
			}
			return nil
		},
	}
	c.Flags().StringVar(&path, "json", "", "write the comparison as JSON")
	c.Flags().
		BoolVar(&newOnly, "new-only", false,
			"end with 1 on new failures only: what was not run, or could not be decided, is told and does not count")
	c.RunE = func(c *cobra.Command, args []string) error {
		text, document, worse, err := compareFiles(args[0], args[1], newOnly)
		if err != nil {
			return err
		}
		fmt.Fprint(c.OutOrStdout(), text)
		if path != "" {
			data, err := json.MarshalIndent(document, "", "  ")
			if err != nil {
				return cannotRun(err)
			}
			if err := writeWhole(path, append(data, '\n')); err != nil {
				return usage("--json: %w", err)
			}
		}
		if worse {
			return &exitError{code: exitFailure}
		}
		return nil
	}
	return c
}

// compareFiles tells audits from runs by what the files say of themselves.
func compareFiles(before, after string, newOnly bool) (text string, document any, worse bool, err error) {
	var data [2][]byte
	var audits [2]*audit.Result
	for i, path := range []string{before, after} {
		if data[i], err = os.ReadFile(path); err != nil {
			return "", nil, false, usage("%w", err)
		}
		audits[i], err = audit.Decode(bytes.NewReader(data[i]))
		var input audit.InputError
		if err != nil && !errors.As(err, &input) {
			return "", nil, false, cannotRun(err)
		}
	}
	if audits[0] != nil && audits[1] != nil {
		c, err := audit.Compare(audits[0], audits[1])
		if err != nil {
			return "", nil, false, usage("%w", err)
		}
		worse := c.Unexplained()
		if newOnly {
			worse = len(c.New) > 0
		}
		return c.Text(), c, worse, nil
	}
	var runs [2]result.Run
	for i, path := range []string{before, after} {
		if audits[i] != nil {
			return "", nil, false, usage(
				"%s is an audit, and the other file is none: compare two audits or two runs",
				path,
			)
		}
		if runs[i], err = result.Decode(bytes.NewReader(data[i])); err != nil {
			return "", nil, false, usage("%s is neither the JSON of an audit nor that of a run: %w", path, err)
		}
	}
	c := compareRuns(runs[0], runs[1])
	worse = len(c.New) > 0 || !newOnly && len(c.Missing)+len(c.Undecided) > 0
	return c.text(), c, worse, nil
}
