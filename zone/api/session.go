package api

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// sessionTimeout is a login session's idle life.
const sessionTimeout = 30 * time.Minute

type session struct {
	login any
	key   string
	used  time.Time
}

// sessions are the logged-in users, by JSESSIONID.
type sessions struct {
	mu  sync.Mutex
	all map[string]*session
}

func (s *sessions) open(login any, now time.Time) (id string, opened *session) {
	var idBytes [16]byte
	var keyBytes [20]byte
	rand.Read(idBytes[:]) // never fails; the program stops if the kernel has no randomness
	rand.Read(keyBytes[:])
	id = "node0" + hex.EncodeToString(idBytes[:])
	opened = &session{login: login, key: base64.RawURLEncoding.EncodeToString(keyBytes[:]), used: now}
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, one := range s.all {
		if now.Sub(one.used) > sessionTimeout {
			delete(s.all, old)
		}
	}
	s.all[id] = opened
	return id, opened
}

func (s *sessions) find(id string, now time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[id]
	if one == nil || now.Sub(one.used) > sessionTimeout {
		delete(s.all, id)
		return nil
	}
	one.used = now
	return one
}

func (s *sessions) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
}

func cookie(r *http.Request, name string) (string, bool) {
	c, err := r.Cookie(name)
	if err != nil {
		return "", false
	}
	return c.Value, true
}

// keyChecks tells whether the session key stands where the release wants it: in cookie or parameter (4.19.1.0), or in
// both, the default of api.sessionkey.check.locations since 4.19.2.0.
func (s *Server) keyChecks(r *http.Request, p Params, one *session) bool {
	inCookie, hasCookie := cookie(r, "sessionkey")
	inParam, hasParam := p.get("sessionkey")
	if s.opts.SessionKeyEither {
		return (hasCookie || hasParam) && (!hasCookie || inCookie == one.key) && (!hasParam || inParam == one.key)
	}
	return hasCookie && hasParam && inCookie == one.key && inParam == one.key
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, p Params) reply {
	if r.Method != http.MethodPost {
		return reply{root: "loginresponse", err: &Error{Code: CodeMethodNotAllowed,
			Text: "Please use HTTP POST to authenticate using this API"}}
	}
	username, _ := p.get("username")
	password, _ := p.get("password")
	domain, _ := p.get("domain")
	domainID, _ := p.get("domainid")
	login, answer, err := s.opts.Backend.Login(username, password, domain, domainID)
	if err != nil {
		return reply{root: "loginresponse", err: err}
	}
	id, one := s.sessions.open(login, s.opts.Now())
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: id, Path: "/client", HttpOnly: true})
	http.SetCookie(w, &http.Cookie{Name: "sessionkey", Value: one.key, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	answer["sessionkey"] = one.key
	answer["timeout"] = int(sessionTimeout / time.Second)
	return reply{root: "loginresponse", body: answer}
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) reply {
	id, ok := cookie(r, "JSESSIONID")
	if !ok || s.sessions.find(id, s.opts.Now()) == nil {
		return reply{root: "logoutresponse", err: BadParameter("Session not found for the logout process.")}
	}
	s.sessions.drop(id)
	for _, name := range []string{"JSESSIONID", "sessionkey"} {
		http.SetCookie(w, &http.Cookie{Name: name, MaxAge: -1})
	}
	return reply{root: "logoutresponse", body: map[string]any{"description": "success"}}
}
