package api

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // CloudStack signs calls with it
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Sign computes the signature of a call: names sorted as written, values escaped as java.net.URLEncoder does with
// blanks as %20, all lower-cased, HMAC-SHA1 under the secret, base64
// (server/src/main/java/com/cloud/api/ApiServer.java@4.20.0.0).
func Sign(p Params, secret string) string {
	names := make([]string, 0, len(p))
	for n := range p {
		if !strings.EqualFold(n, "signature") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(n)
		b.WriteByte('=')
		escape(&b, p[n])
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(strings.ToLower(b.String())))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func escape(b *strings.Builder, s string) {
	const hexa = "0123456789abcdef"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '*', c == '_':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexa[c>>4])
			b.WriteByte(hexa[c&15])
		}
	}
}

// expiresForms are what a call's expires may look like: the documented form, ISO with offset, instant.
var expiresForms = []string{"2006-01-02T15:04:05-0700", time.RFC3339Nano, "2006-01-02T15:04:05Z0700"}

// verify checks key, signature and expiry. Why a call was refused is never said to the caller.
func (s *Server) verify(p Params) (login any, ok bool) {
	key, hasKey := p.get("apikey")
	signature, signed := p.get("signature")
	if !hasKey || !signed {
		return nil, false
	}
	if version, _ := p.get("signatureversion"); version == "3" && !s.notExpired(p) {
		return nil, false
	}
	login, secret, found := s.opts.Backend.KeyOwner(key)
	if !found || secret == "" {
		return nil, false
	}
	if subtle.ConstantTimeCompare([]byte(signature), []byte(Sign(p, secret))) != 1 {
		return nil, false
	}
	return login, true
}

func (s *Server) notExpired(p Params) bool {
	expires, ok := p.get("expires")
	if !ok {
		return false
	}
	for _, form := range expiresForms {
		if t, err := time.Parse(form, expires); err == nil {
			return !t.Before(s.opts.Now())
		}
	}
	return false
}
