package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBill: a bill names what a program is built from, a replaced module by what it was replaced with, and is the same
// twice.
func TestBill(t *testing.T) {
	info := &buildinfo.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Path: "example.org/ours"},
		Deps: []*debug.Module{{Path: "example.org/a", Version: "v1.2.3"}, {Path: "example.org/b", Version: "v0.1.0",
			Replace: &debug.Module{Path: "example.org/c", Version: "v0.2.0"}}}}
	var first, second bytes.Buffer
	require.NoError(t, bill(&first, info))
	require.NoError(t, bill(&second, info))
	assert.Equal(t, first.String(), second.String())
	var read struct {
		BOMFormat  string `json:"bomFormat"`
		Components []component
	}
	require.NoError(t, json.Unmarshal(first.Bytes(), &read))
	assert.Equal(t, "CycloneDX", read.BOMFormat)
	var names []string
	for _, c := range read.Components {
		names = append(names, c.PURL)
	}
	assert.Equal(t, []string{"pkg:golang/example.org/a@v1.2.3", "pkg:golang/example.org/c@v0.2.0",
		"pkg:golang/std@1.26.1"}, names)
	assert.Error(t, run(&first, false, nil))
	assert.Error(t, run(&first, false, []string{"main.go"}))
}

func TestKindOf(t *testing.T) {
	for text, want := range map[string]string{
		"MIT License\n\nPermission is hereby granted,\nfree of charge, to": "MIT",
		"Apache License\n   Version 2.0, January " +
			"2004": "Apache-2.0",
		"Redistributions in binary form must reproduce the above copyright notice ... Neither the name of X": "BSD-3",
		"> Redistributions in binary form must reproduce the above\n>     copyright notice":                  "BSD-2",
		"all rights reserved": "",
	} {
		assert.Equal(t, want, kindOf(text))
	}
}
