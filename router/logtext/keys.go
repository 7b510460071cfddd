package logtext

import (
	"regexp"
	"strings"
)

// secretField is a private key or its password in a command. Strings may hold escaped quotes.
var secretField = regexp.MustCompile(`("(?:key|password)"\s*:\s*)"(?:[^"\\]|\\.)*"`)

// WithoutKeys is the text of a command without the private keys of its certificates. A command without certificates
// stays as it is, to the byte; of one with them all other bytes stay.
func WithoutKeys(command string) string {
	if !strings.Contains(command, `"sslCert"`) {
		return command
	}
	return secretField.ReplaceAllString(command, `$1"(left out)"`)
}
