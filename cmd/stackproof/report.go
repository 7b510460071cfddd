package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/reports"
)

func reportCommand() *cobra.Command {
	var files reportFlags
	var text textFlags
	var strict, defects bool
	var issue string
	c := &cobra.Command{Use: "report RESULT.json...", Short: "Makes documents of a result",
		Long: `Makes documents of a JSON result that run or merge wrote, and prints it. Of several results it prints one table.
The exit status says whether the documents could be made, not what the run found: 0 or 2.`,
		Example: `  stackproof report result.json --html report.html
  stackproof report result.json --issue U-02
  stackproof report result.json --bundle failures.tar.gz
  stackproof report 4.22.1.0.json --defects
  stackproof report 4.20.0.0.json 4.20.1.0.json`}
	f := c.Flags()
	files.add(f)
	text.add(f)
	f.BoolVar(&strict, "strict", false, "judge known failures as failures")
	f.BoolVar(&defects, "defects", false, "print the known defects that a run saw, a line each, and nothing else")
	f.StringVar(
		&issue,
		"issue",
		"",
		"print the text of a bug report about this scenario, in Markdown, and nothing else",
	)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%s needs a JSON result", c.CommandPath())
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		runs := make([]result.Run, len(args))
		for i, path := range args {
			if runs[i], err = readResult(path); err != nil {
				return usage("%w", err)
			}
		}
		if len(runs) > 1 {
			if issue != "" || defects || files.any() {
				return usage("%s makes documents of one result; merge joins several", c.CommandPath())
			}
			fmt.Fprint(c.OutOrStdout(), reports.Table(runs, strict))
			return nil
		}
		if defects && (issue != "" || files.any()) {
			return usage("--defects prints and writes nothing else: leave out --issue and the files")
		}
		if issue != "" {
			told, err := reports.Issue(runs[0], issue)
			if err != nil {
				return usage("--issue: %w", err)
			}
			_, err = c.OutOrStdout().Write(told)
			return cannotRun(err)
		}
		if defects {
			fmt.Fprint(c.OutOrStdout(), reports.Defects(runs[0], text.options(c.OutOrStdout(), strict).Width))
			return nil
		}
		open, err := files.open()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, open.close()) }()
		if err := open.write(runs[0], strict); err != nil {
			return cannotRun(err)
		}
		shown := text.options(c.OutOrStdout(), strict)
		shown.Exit = reports.NoExit
		fmt.Fprint(open.textTo(c), reports.Text(runs[0], shown))
		return nil
	}
	return c
}
