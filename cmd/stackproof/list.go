package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

// listed is one scenario of the list as JSON.
type listed struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Priority int            `json:"priority"`
	Guards   []string       `json:"guards"`
	Needs    []string       `json:"needs"`
	KnownBad string         `json:"known_bad"`
	Why      string         `json:"known_why,omitempty"`
	Known    *bool          `json:"known,omitempty"` // on the release that was asked for
	Twins    []release.Knob `json:"twins"`
}

type listedKnob struct {
	Name     release.Knob `json:"name"`
	About    string       `json:"about"`
	Part     string       `json:"part"`
	Releases []string     `json:"releases"` // of which the lab has a zone
	On       string       `json:"on"`       // all releases, in words
}

func listCommand() *cobra.Command {
	var knobs, releases, asJSON bool
	var patterns []string
	var target, name string
	c := &cobra.Command{Use: "list", Short: "The catalogue: id, title, guards, needs, known-bad releases", Args: noArgs}
	c.Flags().BoolVar(&knobs, "knobs", false, "list the lab's knobs instead")
	c.Flags().BoolVar(&releases, "releases", false,
		"list the known releases instead: whose code each continues, and what changed")
	c.MarkFlagsMutuallyExclusive("knobs", "releases")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().StringArrayVar(&patterns, "scenario", nil, "only these ids (glob, repeatable); default all")
	c.Flags().StringVar(&name, "release", "",
		"what is known of this release; with --scenario or --knobs which of them fail or are on in it")
	targetFlag(c, &target)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := checkTarget(target); err != nil {
			return err
		}
		if name != "" {
			if _, err := release.Resolve(name); err != nil {
				return usage("%w", err)
			}
		}
		switch {
		case knobs:
			return listKnobs(c, name, asJSON)
		case releases:
			return listReleases(c, name, asJSON)
		case name != "" && len(patterns) == 0:
			return listKnown(c, name, asJSON)
		}
		if len(patterns) == 0 {
			patterns = []string{"*"}
		}
		return listScenarios(c, patterns, name, asJSON)
	}
	return c
}

func listScenarios(c *cobra.Command, patterns []string, name string, asJSON bool) error {
	chosen, err := scenarios.Catalogue().Select(patterns...)
	if err != nil {
		return usage("%w", err)
	}
	var all []listed
	for _, s := range chosen {
		l := listed{ID: s.ID, Title: s.Title, Priority: s.Priority, Guards: s.Guards, KnownBad: s.KnownBad.String(),
			Why: s.KnownBad.Reasons(), Twins: s.Twins}
		for _, n := range s.Needs {
			l.Needs = append(l.Needs, string(n))
		}
		if name != "" {
			known := s.KnownBad.On(name)
			l.Known = &known
		}
		all = append(all, l)
	}
	if asJSON {
		return printJSON(c, all)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tPRIORITY\tTITLE\tGUARDS\tNEEDS\tKNOWN BAD")
	for _, l := range all {
		bad := l.KnownBad
		if l.Known != nil && *l.Known {
			bad += " (so on " + name + ")"
		}
		fmt.Fprintf(w, "%s\tP%d\t%s\t%s\t%s\t%s\n", l.ID, l.Priority, l.Title, strings.Join(l.Guards, " "),
			strings.Join(l.Needs, " "), bad)
	}
	return w.Flush()
}

func listKnobs(c *cobra.Command, name string, asJSON bool) error {
	var all []listedKnob
	for _, k := range fault.AllKnobs() {
		on := release.Where(k.Name)
		if name != "" && !on.Contains(name) {
			continue
		}
		all = append(all, listedKnob{k.Name, k.About, k.Part, on.Profiles(), on.String()})
	}
	if asJSON {
		return printJSON(c, all)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KNOB\tPART\tON IN\tWHAT THE ZONE THEN DOES")
	for _, k := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Name, k.Part, cmp.Or(k.On, "(planted only)"), k.About)
	}
	return w.Flush()
}

// listedRelease is one known release as JSON.
type listedRelease struct {
	Name    string         `json:"name"`
	Lab     bool           `json:"lab"` // has the lab a zone of it
	After   string         `json:"after,omitempty"`
	Also    []string       `json:"contains_too,omitempty"`
	Aliases []string       `json:"same_as_it,omitempty"`
	On      []release.Knob `json:"on"`
	Off     []release.Knob `json:"off"`
}

func profileLine(p release.Profile) listedRelease {
	return listedRelease{p.Name, !p.Outline, p.After, p.Also, p.Aliases, p.On, p.Off}
}

func listReleases(c *cobra.Command, name string, asJSON bool) error {
	var all []listedRelease
	for _, p := range release.Profiles() {
		if name == "" || p.Name == name || slices.Contains(p.Aliases, name) {
			all = append(all, profileLine(p))
		}
	}
	if asJSON {
		return printJSON(c, all)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RELEASE\tLAB\tAFTER\tWHAT CHANGED")
	for _, l := range all {
		lab := "lab"
		if !l.Lab {
			lab = "-"
		}
		var changes []string
		for _, k := range l.On {
			changes = append(changes, "+"+string(k))
		}
		for _, k := range l.Off {
			changes = append(changes, "-"+string(k))
		}
		after := strings.Join(append([]string{cmp.Or(l.After, "-")}, l.Also...), " and ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, lab, after, cmp.Or(strings.Join(changes, " "), "nothing"))
	}
	return w.Flush()
}

func printJSON(c *cobra.Command, v any) error {
	enc := json.NewEncoder(c.OutOrStdout())
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
