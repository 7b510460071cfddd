package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/release"
)

func targetFlag(c *cobra.Command, target *string) {
	c.Flags().StringVar(target, "target", labTarget,
		"what is tested: lab (embedded), container (the simulator image), existing (made of flags and environment), "+
			"or a name of the --config file")
	offerTargets(c, labTarget, containerTarget, existingTarget)
}

// offered is the annotation of a --target flag: the targets without a file that it takes.
const offered = "targets"

// offerTargets says which targets without a file a command's --target takes. A shell completes them beside those of the
// file.
func offerTargets(c *cobra.Command, names ...string) {
	if err := c.Flags().SetAnnotation("target", offered, names); err != nil {
		panic(err) // the command has no such flag
	}
}

// The targets that need no file.
const (
	labTarget      = "lab"
	existingTarget = "existing"
)

func targets() []string { return []string{labTarget, containerTarget, existingTarget} }

func checkTarget(name string) error {
	if !slices.Contains(targets(), name) {
		return usage("target %q is not known; did you mean %q?", name, harness.Nearest(name, targets()))
	}
	return nil
}

// checkRelease makes sure that the lab has a profile.
func checkRelease(name string) error {
	if slices.Contains(release.All(), name) {
		return nil
	}
	nearest := harness.Nearest(name, release.All())
	if own := closest(name); own != "" {
		nearest = own
	}
	return usage("release %q has no profile; did you mean %s? (there are %s)", name, nearest,
		strings.Join(release.All(), ", "))
}

// closest is the release with a lab zone that answers for one without, as list --release says: of its line, or the one
// that the refusal names; empty where there is none.
func closest(name string) string {
	own, err := release.Resolve(name)
	var unknown *release.UnknownError
	if errors.As(err, &unknown) {
		own = unknown.Nearest
	}
	if !slices.Contains(release.All(), own) {
		return ""
	}
	return own
}

// knobsOf is a release's profile with the knobs of the command line on top.
func knobsOf(name string, words []string) (release.Knobs, error) {
	if err := checkRelease(name); err != nil {
		return nil, err
	}
	knobs, err := release.ProfileKnobs(name)
	if err != nil {
		return nil, usage("%w", err)
	}
	var names []string
	for _, k := range fault.AllKnobs() {
		names = append(names, string(k.Name))
	}
	for _, w := range words {
		knob, _, _ := strings.Cut(w, "=")
		if !slices.Contains(names, knob) {
			return nil, usage("knob %q does not exist; did you mean %s? (stackproof list --knobs)", knob,
				harness.Nearest(knob, names))
		}
		if err := fault.Set(knobs, release.Knob(w)); err != nil {
			return nil, usage("%w", err)
		}
	}
	return knobs, nil
}
