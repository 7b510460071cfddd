package api

import (
	"fmt"
	"strings"
)

// Params are a call's parameters under the names as the client wrote them; the first of repeated ones counts.
type Params map[string]string

// ParseQuery reads a query or form body as a servlet container does: ';' does not separate, a name without '=' has an
// empty value, '+' is a blank. A bad escape is an error.
func ParseQuery(raw string, into Params) error {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := unescape(name)
		if err != nil {
			return err
		}
		v, err := unescape(value)
		if err != nil {
			return err
		}
		if _, twice := into[n]; !twice && n != "" {
			into[n] = v
		}
	}
	return nil
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b.WriteByte(' ')
		case '%':
			if i+2 >= len(s) {
				return "", fmt.Errorf("parameter escape %q is cut short", s[i:])
			}
			hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
			if hi < 0 || lo < 0 {
				return "", fmt.Errorf("parameter escape %q is not hexadecimal", s[i:i+3])
			}
			b.WriteByte(byte(hi<<4 | lo))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// get finds a parameter by its lower-case name, however the client wrote it.
func (p Params) get(name string) (string, bool) {
	if v, ok := p[name]; ok {
		return v, true
	}
	for k, v := range p {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// lower gives the parameters under lower-case names, without those of the transport.
func (p Params) lower() map[string]string {
	out := make(map[string]string, len(p))
	for k, v := range p {
		switch k = strings.ToLower(k); k {
		case "command", "response", "apikey", "signature", "signatureversion", "expires", "sessionkey":
		default:
			out[k] = v
		}
	}
	return out
}

// control finds a parameter whose value holds a control character other than tab, line feed and carriage return.
func (p Params) control() (string, bool) {
	for k, v := range p {
		for i := range len(v) {
			if c := v[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
				return k, true
			}
		}
	}
	return "", false
}
