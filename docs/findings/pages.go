// Package findings holds the pages about defects of releases in use, so that the program can name them. It is no judge:
// which release has a defect is what the scenario that a page names knows. Before changing a page know that its title
// and the scenarios of its section "Shown by stackproof" are read.
package findings

import (
	"embed"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:embed *.md
var pages embed.FS

// Page is one finding.
type Page struct {
	File      string   `json:"file"` // its name in docs/findings
	Title     string   `json:"title"`
	Scenarios []string `json:"scenarios,omitempty"` // that show it
	Releases  string   `json:"releases,omitempty"`  // which releases have it, in the page's words
}

// index is the list of the pages for a reader.
const index = "README.md"

// Pages are all findings, by file name.
func Pages() ([]Page, error) {
	names, err := fs.Glob(pages, "*.md")
	if err != nil {
		return nil, err
	}
	var all []Page
	for _, name := range names {
		if name == index {
			continue
		}
		text, err := pages.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, read(name, string(text)))
	}
	return all, nil
}

// read takes a page apart.
func read(name, text string) Page {
	title, rest, _ := strings.Cut(text, "\n")
	p := Page{File: name, Title: strings.TrimPrefix(title, "# "),
		Releases: strings.Join(strings.Fields(Section(rest, "Releases")), " ")}
	named := regexp.MustCompile(`(?:--scenario|Scenario) ([A-Z]-\d\d)`)
	for _, m := range named.FindAllStringSubmatch(Section(rest, "Shown by stackproof"), -1) {
		if !slices.Contains(p.Scenarios, m[1]) {
			p.Scenarios = append(p.Scenarios, m[1])
		}
	}
	return p
}

// Section is the text below one heading of a page.
func Section(text, heading string) string {
	_, after, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		return ""
	}
	own, _, _ := strings.Cut(after, "\n## ")
	return strings.TrimSpace(own)
}
