package cloud

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ProfileFromCmk reads a profile of CloudMonkey's configuration (cmk, an INI file). Empty path is ~/.cmk/config; empty
// profile is the one that the file names in its [core] section or, failing that, localcloud. A key pair wins over a
// login.
func ProfileFromCmk(path, profile string) (Options, error) {
	path, err := CmkFile(path)
	if err != nil {
		return Options{}, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Options{}, fmt.Errorf("there is no cmk configuration %s: run cmk once, or give the API's URL and keys",
			path)
	}
	if err != nil {
		return Options{}, fmt.Errorf("read the cmk configuration: %w", err)
	}
	defer f.Close()
	sections, err := readINI(f)
	if err != nil {
		return Options{}, fmt.Errorf("%s: %w", path, err)
	}
	if profile == "" {
		profile = orWord(sections["core"]["profile"], "localcloud")
	}
	values, ok := sections[profile]
	if !ok || profile == "core" {
		return Options{}, fmt.Errorf("%s has no profile %q: it has %s", path, profile, profiles(sections))
	}
	return fromProfile(path, profile, values)
}

// CmkFile is the file that a path of a configuration names: ~/.cmk/config where it is empty. The error says that there
// is no home folder.
func CmkFile(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the cmk configuration: %w", err)
	}
	return filepath.Join(home, ".cmk", "config"), nil
}

func fromProfile(path, profile string, v map[string]string) (Options, error) {
	o := Options{URL: v["url"], APIKey: v["apikey"], SecretKey: v["secretkey"]}
	switch {
	case o.APIKey != "" && o.SecretKey != "":
	case o.APIKey != "" || o.SecretKey != "":
		return Options{}, fmt.Errorf("%s, profile %s: it has only one of apikey and secretkey: set both with cmk", path,
			profile)
	case v["username"] != "" && v["password"] != "":
		o.Username, o.Password, o.Domain = v["username"], v["password"], v["domain"]
	default:
		return Options{}, fmt.Errorf("%s, profile %s: it has neither apikey and secretkey nor username and password",
			path, profile)
	}
	if verify, ok := v["verifycert"]; ok {
		o.Insecure = strings.EqualFold(verify, "false")
	}
	if err := o.Check(); err != nil {
		return Options{}, fmt.Errorf("%s, profile %s: %w", path, profile, err)
	}
	return o, nil
}

func profiles(sections map[string]map[string]string) string {
	var names []string
	for n := range sections {
		if n != "core" && n != "" {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// readINI reads sections of key = value or key: value lines. Keys are case-insensitive; # and ; begin comments at the
// start of a line and after a blank, else they are part of the value, because secrets may hold them. Lines before the
// first section (cmk's settings) are section core's.
func readINI(r io.Reader) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	current := "core"
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case line[0] == '[':
			if !strings.HasSuffix(line, "]") {
				return nil, fmt.Errorf("line %d: a section without its closing bracket", n)
			}
			current = strings.TrimSpace(line[1 : len(line)-1])
			continue
		}
		at := strings.IndexAny(line, "=:")
		if at < 0 {
			return nil, fmt.Errorf("line %d: neither a section nor key = value", n)
		}
		key, value := line[:at], line[at+1:]
		if sections[current] == nil {
			sections[current] = map[string]string{}
		}
		sections[current][strings.ToLower(strings.TrimSpace(key))] = iniValue(value)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return sections, nil
}

// iniValue is what stands behind a key, without its quotes and without the comment after it.
func iniValue(text string) string {
	text = strings.TrimSpace(text)
	if text != "" && (text[0] == '"' || text[0] == '`') {
		end := strings.IndexByte(text[1:], text[0])
		if end >= 0 && comment(strings.TrimSpace(text[end+2:])) {
			return text[1 : end+1]
		}
	}
	for i := range text {
		if (text[i] == ';' || text[i] == '#') && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			return strings.TrimSpace(text[:i])
		}
	}
	return text
}

// comment says whether a text is a comment, or nothing.
func comment(text string) bool { return text == "" || text[0] == ';' || text[0] == '#' }
