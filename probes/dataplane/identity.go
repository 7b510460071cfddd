package dataplane

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// Answer is what came back for one request.
type Answer struct {
	Head []byte // status line and headers
	Body []byte // as it was sent: chunks are not put together
	// Certificate is the one that the answerer showed; nil without TLS.
	Certificate *x509.Certificate
}

// Identity reads from an answer who sent it.
type Identity func(Answer) (Origin, error)

// ParseIdentity makes an identity of a word:
//
//	body           the lines "backend ID" and "source IP", as the backends of package network answer
//	body:REGEXP    the first group of the expression in the body, or all that it matches
//	header:NAME    the value of a header
//	cookie:NAME    the value of a cookie that the answer sets
//	tls            name and fingerprint of the certificate
func ParseIdentity(word string) (Identity, error) {
	kind, rest, _ := strings.Cut(word, ":")
	switch {
	case word == "body":
		return func(a Answer) (Origin, error) { return Identify(a.Body) }, nil
	case kind == "body":
		find, err := regexp.Compile(rest)
		if err != nil {
			return nil, fmt.Errorf("identity %q: %w", word, err)
		}
		return byExpression(find), nil
	case kind == "header" && rest != "":
		return func(a Answer) (Origin, error) {
			if values := headerValues(a.Head, rest); len(values) > 0 {
				return Origin{Backend: values[0]}, nil
			}
			return Origin{}, fmt.Errorf("the answer has no header %s", rest)
		}, nil
	case kind == "cookie" && rest != "":
		return byCookie(rest), nil
	case word == "tls":
		return byCertificate, nil
	}
	return nil, fmt.Errorf("identity %q: want body, body:REGEXP, header:NAME, cookie:NAME or tls", word)
}

func byExpression(find *regexp.Regexp) Identity {
	return func(a Answer) (Origin, error) {
		m := find.FindSubmatch(a.Body)
		switch {
		case m == nil:
			return Origin{}, fmt.Errorf("the answer's body does not match %s: %.60q", find, a.Body)
		case len(m) > 1:
			return Origin{Backend: string(m[1])}, nil
		}
		return Origin{Backend: string(m[0])}, nil
	}
}

func byCookie(name string) Identity {
	return func(a Answer) (Origin, error) {
		for _, value := range headerValues(a.Head, "Set-Cookie") {
			pair, _, _ := strings.Cut(value, ";")
			if n, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == name {
				return Origin{Backend: v}, nil
			}
		}
		return Origin{}, fmt.Errorf("the answer sets no cookie %s", name)
	}
}

func byCertificate(a Answer) (Origin, error) {
	if a.Certificate == nil {
		return Origin{}, errors.New("the answer came without TLS: there is no certificate")
	}
	sum := sha256.Sum256(a.Certificate.Raw)
	return Origin{Backend: strings.TrimSpace(a.Certificate.Subject.CommonName + " " + hex.EncodeToString(sum[:4]))}, nil
}

func headerValues(head []byte, name string) []string {
	var values []string
	for line := range bytes.Lines(head) {
		n, v, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(bytes.TrimSpace(n), []byte(name)) {
			values = append(values, string(bytes.TrimSpace(v)))
		}
	}
	return values
}

// certificateOf is the one that the other end of a connection showed.
func certificateOf(conn net.Conn) *x509.Certificate {
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return nil
	}
	if all := secured.ConnectionState().PeerCertificates; len(all) > 0 {
		return all[0]
	}
	return nil
}
