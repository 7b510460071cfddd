package config

import (
	"fmt"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/stackproof/stackproof/harness/cloud"
)

var (
	// fromOutside is what Load takes from the environment: it stands in no file.
	fromOutside = regexp.MustCompile(`\$\{[^}]*\}`)
	// passwordOf is that of user:password@tcp(host:port)/.
	passwordOf = regexp.MustCompile(`^[^:@]*:(.+)@`)
	// userinfoOf is that of scheme://user:password@host; the scheme may be missing. A name alone is no secret.
	userinfoOf = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#:]*:([^/?#]+)@`)
)

// Exposed says, a line each, which files with keys others than their owner may read: the file of targets, if a key or
// password stands in it, and cmk's, if the target takes its profile. Empty file is no file of targets. What cannot be
// read is for who needs it to say.
func (c *Config) Exposed(file string) (lines []string) {
	if data, err := os.ReadFile(file); file != "" && err == nil && holdsSecrets(data) {
		lines = append(lines, exposed(file)...)
	}
	if c.API.Cmk != (Cmk{}) {
		if path, err := cloud.CmkFile(c.API.Cmk.File); err == nil {
			lines = append(lines, exposed(path)...)
		}
	}
	return lines
}

// exposed is the line about one file with keys; none where only its owner may read it.
func exposed(file string) []string {
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o044 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s holds keys, and others on this machine may read it (mode %04o): chmod 600 %s", file,
		info.Mode().Perm(), file)}
}

// holdsSecrets says whether a key or password stands in a file of targets itself.
func holdsSecrets(data []byte) bool {
	var d struct {
		Targets map[string]Config `yaml:"targets"`
	}
	if yaml.Unmarshal(data, &d) != nil {
		return false // whoever loads it says why
	}
	for _, c := range d.Targets {
		texts := []string{c.API.Secret, c.API.Login.Password}
		for _, dsn := range c.DSN {
			if found := passwordOf.FindStringSubmatch(dsn); found != nil {
				texts = append(texts, found[1])
			}
		}
		for _, address := range append([]string{c.API.URL, c.API.UserURL}, c.Clients.Socks5...) {
			// What is in braces may be any text of the environment, and is put aside before an address is read.
			if found := userinfoOf.FindStringSubmatch(fromOutside.ReplaceAllString(address, "")); found != nil {
				texts = append(texts, found[1])
			}
		}
		for _, text := range texts {
			if fromOutside.ReplaceAllString(text, "") != "" {
				return true
			}
		}
	}
	return false
}
