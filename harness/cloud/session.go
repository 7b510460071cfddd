package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// session is a login's cookie and key. From 4.19.2 the server wants the key both in a cookie and as a parameter
// (api.sessionkey.check.locations), so both are sent always.
type session struct {
	login sync.Mutex // one login at a time
	mu    sync.Mutex
	sskey string
	jar   []*http.Cookie
}

func (s *session) key() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sskey
}

func (s *session) drop() { s.keep("", nil) }

func (s *session) keep(key string, cookies []*http.Cookie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sskey, s.jar = key, cookies
}

func (s *session) cookies() []*http.Cookie {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jar
}

// logIn makes sure that there is a session other than the stale one, and returns its key.
func (c *caller) logIn(ctx context.Context, stale string) (string, error) {
	c.session.login.Lock()
	defer c.session.login.Unlock()
	if key := c.session.key(); key != stale {
		return key, nil
	}
	c.session.drop()
	domain := c.opts.Domain
	if domain == "" {
		domain = "/"
	}
	a, err := c.exchange(ctx, "login", map[string]string{"username": c.opts.Username, "password": c.opts.Password,
		"domain": domain}, true)
	if err != nil {
		return "", err
	}
	inner, err := a.answer("login")
	if err != nil {
		return "", err
	}
	var got struct {
		SessionKey    string `json:"sessionkey"`
		Is2FAEnabled  string `json:"is2faenabled"`
		Is2FAVerified string `json:"is2faverified"`
	}
	if err := json.Unmarshal(inner, &got); err != nil {
		return "", fmt.Errorf("login: read the answer: %w", err)
	}
	if got.SessionKey == "" {
		return "", errors.New("login: the answer has no session key")
	}
	if got.Is2FAEnabled == "true" && got.Is2FAVerified != "true" {
		return "", fmt.Errorf("login: user %s needs a second factor: use a key pair instead", c.opts.Username)
	}
	cookies := a.cookies
	if !hasCookie(cookies, "sessionkey") {
		cookies = append(cookies, &http.Cookie{Name: "sessionkey", Value: got.SessionKey})
	}
	c.session.keep(got.SessionKey, cookies)
	if c.trace != nil {
		c.trace.hide(got.SessionKey)
	}
	return got.SessionKey, nil
}

func hasCookie(cookies []*http.Cookie, name string) bool {
	for _, k := range cookies {
		if k.Name == name {
			return true
		}
	}
	return false
}
