package dataplane

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIdentities(t *testing.T) {
	answer := Answer{
		Head: []byte(
			"HTTP/1.1 200 OK\r\nX-Served-By: web-3 \r\nSet-Cookie: A=1\r\nset-cookie: SRV=s2; path=/\r\n",
		),
		Body:        []byte("<p>host=web-7</p>\nbackend 10.1.1.2:80\n"),
		Certificate: &x509.Certificate{Raw: []byte("x"), Subject: pkix.Name{CommonName: "web"}},
	}
	for word, want := range map[string]string{
		"body": "10.1.1.2:80", `body:host=([a-z0-9-]+)`: "web-7", `body:web-\d`: "web-7", "header:x-served-by": "web-3",
		"cookie:SRV": "s2", "tls": "web 2d711642",
	} {
		identity, err := ParseIdentity(word)
		require.NoError(t, err, word)
		o, err := identity(answer)
		require.NoError(t, err, word)
		require.Equal(t, want, o.Backend, word)
		_, err = identity(Answer{Head: []byte("HTTP/1.1 200 OK\r\n"), Body: []byte("nothing")})
		require.Error(t, err, "%s must not find a backend where none is named", word)
	}
	for _, word := range []string{"", "bodies", "body:(", "header:", "cookie:", "tls:x"} {
		_, err := ParseIdentity(word)
		require.Error(t, err, word)
	}
}
