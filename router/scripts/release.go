package scripts

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
)

// Release is the release that a tree says it is of, such as 4.20.1.0 or 4.22.0.0-SNAPSHOT: the version in the pom.xml
// of a checkout's systemvm folder, or of the checkout. It is empty when neither is there: the scripts themselves do not
// tell.
func Release(dir string) string {
	t, err := findTree(dir)
	if err != nil {
		return ""
	}
	systemvm := filepath.Join(t.cloud, "..", "..", "..")
	for _, folder := range []string{systemvm, filepath.Dir(systemvm)} {
		if release := releaseOf(filepath.Join(folder, "pom.xml")); release != "" {
			return release
		}
	}
	return ""
}

// cloudstackGroup is CloudStack's name in Maven: the pom.xml of something else around the tree says nothing about it.
const cloudstackGroup = "org.apache.cloudstack"

func releaseOf(pom string) string {
	text, err := os.ReadFile(pom)
	if err != nil {
		return ""
	}
	var project struct {
		Group   string `xml:"groupId"`
		Version string `xml:"version"`
		Parent  struct {
			Group   string `xml:"groupId"`
			Version string `xml:"version"`
		} `xml:"parent"`
	}
	if xml.Unmarshal(text, &project) != nil {
		return ""
	}
	switch {
	case project.Group == cloudstackGroup && project.Version != "":
		return project.Version
	case project.Parent.Group == cloudstackGroup:
		return project.Parent.Version
	}
	return ""
}

// Name is what a person calls a tree: its release, or the last word of its path that says more than "systemvm".
func Name(dir string) string {
	if release := Release(dir); release != "" {
		return release
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for slices.Contains([]string{"debian", "systemvm"}, filepath.Base(path)) {
		path = filepath.Dir(path)
	}
	return filepath.Base(path)
}
