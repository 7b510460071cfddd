// Command sbom says what a program of ours is built from, as the program itself records it: as a bill of materials
// (CycloneDX 1.5), or as a table of modules with their licences.
//
// Usage: sbom PROGRAM, or sbom -licences PROGRAM. The second needs the modules' files (go mod download), and fails for
// a module whose licence it does not know.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	licences := flag.Bool("licences", false, "print a table of modules and licences")
	flag.Parse()
	if err := run(os.Stdout, *licences, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, licences bool, args []string) error {
	if len(args) != 1 {
		return errors.New("give the program's file")
	}
	info, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return err
	}
	if licences {
		return table(out, info.Deps)
	}
	return bill(out, info)
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
}

// bill writes a bill of materials. It holds no time and no chance: equal programs have equal bills.
func bill(out io.Writer, info *buildinfo.BuildInfo) error {
	var parts []component
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component{Type: "library", Name: m.Path, Version: m.Version,
			PURL: "pkg:golang/" + m.Path + "@" + m.Version})
	}
	parts = append(parts, component{Type: "library", Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"),
		PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")})
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata":   map[string]any{"component": component{Type: "application", Name: info.Main.Path}},
		"components": parts,
	})
}

// table writes a line for each module.
func table(out io.Writer, modules []*debug.Module) error {
	var unknown []string
	for _, m := range modules {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", m.Path).Output()
		if err != nil {
			return fmt.Errorf("finding %s: %w", m.Path, err)
		}
		kind := licence(strings.TrimSpace(string(dir)))
		if kind == "" {
			unknown = append(unknown, m.Path)
			kind = "UNKNOWN"
		}
		fmt.Fprintf(out, "%-50s %-12s %s\n", m.Path, kind, m.Version)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("no known licence: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// licence is the licence of the module in a folder, by the words of its text; "" for none that is known.
func licence(dir string) string {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*", "License*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are good
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			if kind := kindOf(string(text)); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// kindOf tells a licence by a sentence that only it has.
func kindOf(text string) string {
	words := strings.Fields(text)
	text = strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == ">" }), " ") // one that is quoted
	for _, one := range []struct{ kind, words string }{
		{"Apache-2.0", "Apache License Version 2.0"},
		{"MPL-2.0", "Mozilla Public License Version 2.0"},
		{"MPL-2.0", "Mozilla Public License, version 2.0"},
		{"BSD-3", "Neither the name of"},
		{"BSD-2", "Redistributions in binary form must reproduce the above copyright notice"},
		{"MIT", "Permission is hereby granted, free of charge"},
		{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
		{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose"},
	} {
		if strings.Contains(text, one.words) {
			return one.kind
		}
	}
	return ""
}
