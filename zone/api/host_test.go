package api

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestHosts: a server on loopback answers to names of this machine only; one that others may reach to any.
func TestHosts(t *testing.T) {
	loop, open := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4zero}
	for _, c := range []struct {
		addr net.Addr
		host string
		want int
	}{
		{loop, "127.0.0.1:8080", 200}, {loop, "localhost", 200}, {loop, "localhost:1", 200}, {loop, "[::1]:1", 200},
		{loop, "127.0.0.1", 200}, {loop, "evil.example:8080", 403}, {loop, "192.0.2.1:80", 403}, {loop, "", 403},
		{loop, "localhost.evil.example", 403}, {open, "lab.example:8080", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "/client/api", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		local(c.addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		assert.Equal(t, c.want, w.Code, "%s at %s", c.host, c.addr)
	}
}
