package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/docs/findings"
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

// knownRelease is all that is known of one release.
type knownRelease struct {
	Asked string `json:"release"`
	listedRelease
	Knobs    []knobHere      `json:"knobs"`
	Fails    []failsHere     `json:"fails"`
	Findings []findings.Page `json:"findings"`
	// Elsewhere are findings that no story fails by on any release: each says itself which releases it is about.
	Elsewhere []findings.Page `json:"other_findings"`
}

// knobHere is a knob that is on, failsHere a scenario that is known to fail.
type knobHere struct {
	Name  release.Knob `json:"name"`
	About string       `json:"about"`
	New   bool         `json:"new"` // it was off in the release before
}

type failsHere struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
}

// listKnown tells all that is known of a release: its profile, what is on, what fails, and what is written about it.
func listKnown(c *cobra.Command, name string, asJSON bool) error {
	known, err := readKnown(name)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c, known)
	}
	return known.write(c.OutOrStdout())
}

func readKnown(name string) (knownRelease, error) {
	own, err := release.Resolve(name)
	if err != nil {
		return knownRelease{}, usage("%w", err)
	}
	i := slices.IndexFunc(release.Profiles(), func(p release.Profile) bool { return p.Name == own })
	p := release.Profiles()[i]
	known := knownRelease{Asked: name, listedRelease: profileLine(p)}
	for _, k := range fault.AllKnobs() {
		if release.Where(k.Name).Contains(own) {
			known.Knobs = append(known.Knobs, knobHere{k.Name, k.About, slices.Contains(p.On, k.Name)})
		}
	}
	fails, ever := map[string]bool{}, map[string]bool{}
	for _, s := range scenarios.Catalogue() {
		ever[s.ID] = slices.ContainsFunc(release.All(), s.KnownBad.On)
		if s.KnownBad.On(own) {
			fails[s.ID] = true
			known.Fails = append(known.Fails, failsHere{s.ID, s.Title, s.KnownBad.ReasonsOn(own)})
		}
	}
	slices.SortStableFunc(known.Fails, func(a, b failsHere) int { return cmp.Compare(a.ID, b.ID) })
	pages, err := findings.Pages()
	if err != nil {
		return knownRelease{}, err
	}
	for _, page := range pages {
		switch {
		case slices.ContainsFunc(page.Scenarios, func(id string) bool { return fails[id] }):
			known.Findings = append(known.Findings, page)
		case !slices.ContainsFunc(page.Scenarios, func(id string) bool { return ever[id] }):
			known.Elsewhere = append(known.Elsewhere, page)
		}
	}
	return known, nil
}

func (k knownRelease) write(out io.Writer) error {
	fmt.Fprintf(out, "%s\n\n", asAsked(k.Asked, k.Name))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(what string, words ...string) {
		if text := strings.Join(words, ", "); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", what, text)
		}
	}
	line("lab zone", map[bool]string{true: "yes", false: "no: its router and its defects are known"}[k.Lab])
	line("follows", cmp.Or(k.After, "nothing that is known"))
	line("contains too", k.Also...)
	line("the same as it", k.Aliases...)
	line("ended in it", words(k.Off)...)
	fmt.Fprintf(w, "\nON IN IT\t(+ came with it)\n")
	for _, knob := range k.Knobs {
		fmt.Fprintf(w, "%s%s\t%s\n", map[bool]string{true: "+ ", false: "  "}[knob.New], knob.Name, knob.About)
	}
	fmt.Fprintf(w, "\nKNOWN TO FAIL\t\n")
	for _, s := range k.Fails {
		fmt.Fprintf(w, "  %s\t%s: %s\n", s.ID, s.Title, s.Why)
	}
	fmt.Fprintf(w, "\nWRITTEN ABOUT\t\n")
	for _, page := range k.Findings {
		fmt.Fprintf(w, "  %s\t%s (docs/findings/%s)\n", strings.Join(page.Scenarios, ", "), page.Title, page.File)
	}
	if len(k.Elsewhere) > 0 {
		fmt.Fprintf(w, "\nOTHER FINDINGS, of whichever releases: no scenario fails by them\n")
	}
	for _, page := range k.Elsewhere {
		fmt.Fprintf(w, "  %s\t%s (docs/findings/%s): %s\n", cmp.Or(strings.Join(page.Scenarios, ", "), "-"), page.Title,
			page.File, page.Releases)
	}
	return w.Flush()
}

// asAsked names the release that was asked for, and the one whose profile answers where that is another.
func asAsked(asked, name string) string {
	if asked == name {
		return name
	}
	return asked + " is judged by the profile of " + name
}

func words(knobs []release.Knob) []string {
	all := make([]string, len(knobs))
	for i, k := range knobs {
		all[i] = string(k)
	}
	return all
}
