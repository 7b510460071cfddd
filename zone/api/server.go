// Package api is the HTTP transport of CloudStack's API: addresses, signatures, login sessions, the unauthenticated
// integration port, and the two forms of answers.
//
// It is not the API: what commands there are and what they do is the Backend's business. Before changing it know that
// error texts, header names and the lack of cserrorcode in some refusals are recorded from running servers.
package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Backend carries out commands.
type Backend interface {
	// Find tells the root of a command's answers, and whether there is such a command.
	Find(command string) (root string, ok bool)
	// Call runs a command of an authenticated user; login is what KeyOwner or Login gave, nil for the integration port.
	// Parameter names are lower-case. An error that is not an *Error is a 530.
	Call(ctx context.Context, login any, command string, params map[string]string) (map[string]any, error)
	// KeyOwner finds the user of an API key and the secret.
	KeyOwner(apiKey string) (login any, secret string, ok bool)
	// Login checks a password and answers the login response's fields but session key and timeout.
	Login(username, password, domain, domainID string) (login any, answer map[string]any, err *Error)
	// Version is the release.
	Version() string
}

// Options of a server. Listen addresses default to 127.0.0.1:0, Now to the computer's clock. Date is the time in the
// header of that name; without it the API sends none, and the integration port the computer's.
type Options struct {
	Listen, ListenIntegration string
	// Listener is where the API listens in place of Listen; the server closes it.
	Listener net.Listener
	// Page writes the start page, an HTML document at /; nil has none.
	Page             func(io.Writer) error
	Backend          Backend
	SessionKeyEither bool
	Now              func() time.Time
	Date             func() time.Time
	// Lost says of a command that was carried out whether its answer is lost: the connection breaks in its place. Nil:
	// none is.
	Lost func(command string) bool
	Log  *slog.Logger
}

// MaxBody is the size of a form body in bytes that is still read.
const MaxBody = 2 << 20

// Server listens on two ports.
type Server struct {
	opts     Options
	sessions sessions
	servers  [2]*http.Server
	addrs    [2]net.Addr
	serving  sync.WaitGroup
}

// Listen starts both ports.
func Listen(opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: opts, sessions: sessions{all: map[string]*session{}}}
	for i, one := range []struct {
		addr    string
		handler http.Handler
	}{{opts.Listen, http.HandlerFunc(s.serveAPI)}, {opts.ListenIntegration, http.HandlerFunc(s.serveIntegration)}} {
		l := opts.Listener
		if i > 0 || l == nil {
			var err error
			if l, err = net.Listen("tcp", cmp.Or(one.addr, "127.0.0.1:0")); err != nil {
				return nil, errors.Join(fmt.Errorf("listening for the API: %w", err), s.Close(context.Background()))
			}
		}
		s.addrs[i] = l.Addr()
		s.servers[i] = &http.Server{
			Handler: local(l.Addr(), one.handler), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
			WriteTimeout: time.Minute,
			IdleTimeout:  30 * time.Second, MaxHeaderBytes: 1 << 20, ErrorLog: slog.NewLogLogger(opts.Log.Handler(),
				slog.LevelDebug),
		}
		s.serving.Add(1)
		go func() {
			defer s.serving.Done()
			if err := s.servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				opts.Log.Error("serving the API", "err", err)
			}
		}()
	}
	return s, nil
}

// local lets requests through that name this machine: a page from elsewhere in a browser on this machine may have its
// own name lead here (DNS rebinding). A server that others may reach takes any name.
func local(addr net.Addr, next http.Handler) http.Handler {
	if tcp, ok := addr.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			next.ServeHTTP(w, r)
			return
		}
		http.Error(w, "this server is for this machine only", http.StatusForbidden)
	})
}

// URL is the signed API's address, IntegrationURL that of the port without authentication.
func (s *Server) URL() string            { return "http://" + s.addrs[0].String() + "/client/api" }
func (s *Server) IntegrationURL() string { return "http://" + s.addrs[1].String() + "/client/api" }

// Close ends calls under way and stops listening.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	for _, one := range s.servers {
		if one == nil {
			continue
		}
		if err := one.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping the API: %w", err), one.Close())
		}
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

// parameters reads query and form body.
func (s *Server) parameters(w http.ResponseWriter, r *http.Request, body bool) (Params, *Error) {
	p := Params{}
	if err := ParseQuery(r.URL.RawQuery, p); err != nil {
		return p, &Error{Code: CodeMalformed, CSCode: CSAPIException, Text: err.Error()}
	}
	if !body || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"),
		"application/x-www-form-urlencoded") {
		return p, nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return p, &Error{Code: CodeMalformed, CSCode: CSAPIException, Text: fmt.Sprintf("reading the form: %v", err)}
	}
	if err := ParseQuery(string(text), p); err != nil {
		return p, &Error{Code: CodeMalformed, CSCode: CSAPIException, Text: err.Error()}
	}
	return p, nil
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, true, s.authenticate)
}

func (s *Server) serveIntegration(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, false, s.trusted)
}

// serve answers one call; a panic is the last resort's 530.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, body bool, answer func(http.ResponseWriter,
	*http.Request, Params) reply) {
	switch {
	case s.opts.Date != nil:
		w.Header().Set("Date", s.opts.Date().UTC().Format(http.TimeFormat))
	case body:
		w.Header()["Date"] = nil
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if body && r.URL.Path == "/" && r.Method == http.MethodGet && s.opts.Page != nil {
		s.page(w)
		return
	}
	if path := strings.TrimSuffix(r.URL.Path, "/"); path != "/client/api" && (body || path != "") {
		http.NotFound(w, r)
		return
	}
	p, bad := s.parameters(w, r, body)
	if bad != nil {
		s.write(w, p, reply{root: "errorresponse", err: bad})
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			s.opts.Log.Error("an API call panicked", "panic", fault, "stack", string(debug.Stack()))
			s.write(w, p, reply{root: "errorresponse", err: Internal("Internal error")})
		}
	}()
	given := answer(w, r, p)
	if command, _ := p.get("command"); s.opts.Lost != nil && given.err == nil && s.opts.Lost(command) && breakOff(w) {
		return
	}
	s.write(w, p, given)
}

// page writes the start page. It holds nothing that runs, and nothing from elsewhere.
func (s *Server) page(w http.ResponseWriter) {
	var text bytes.Buffer
	if err := s.opts.Page(&text); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(text.Bytes()) // a reader who went away needs no page
}

// breakOff ends the connection without an answer.
func breakOff(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	return err == nil && conn.Close() == nil
}

// refusedOnIntegrationPort are parameters that the port without authentication does not take
// (UpdateUserCmd.java@4.20.0.0).
var refusedOnIntegrationPort = []string{"usersecretkey", "currentpassword"}

const (
	badSignature = "unable to verify user credentials and/or request signature"
	badSession   = "unable to verify user credentials"
)

// UnknownCommand is the log message about a command that the backend does not have. A caller gets the refusal of a
// server, which for a signed call is that of a wrong signature.
const UnknownCommand = "a client called a command that the lab does not have"

func (s *Server) root(command string) string {
	if root, ok := s.opts.Backend.Find(command); ok {
		return root
	}
	return "errorresponse"
}

// lacks logs a command that the backend does not have.
func (s *Server) lacks(command string) {
	if command != "" {
		s.opts.Log.Warn(UnknownCommand, "command", command)
	}
}

// authenticate finds the caller by session or signature and runs the command.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, p Params) reply {
	command, _ := p.get("command")
	switch command {
	case "login":
		return s.login(w, r, p)
	case "logout":
		return s.logout(w, r)
	}
	if id, ok := cookie(r, "JSESSIONID"); ok {
		if one := s.sessions.find(id, s.opts.Now()); one != nil {
			if !s.keyChecks(r, p, one) {
				s.sessions.drop(id)
				return reply{root: s.root(command), err: &Error{Code: CodeUnauthorized, Text: badSession}}
			}
			return s.call(r, one.login, command, p)
		}
	}
	if _, known := s.opts.Backend.Find(command); known {
		if login, ok := s.verify(p); ok {
			return s.call(r, login, command, p)
		}
	} else {
		s.lacks(command)
	}
	return reply{root: s.root(command), err: &Error{Code: CodeUnauthorized, Text: badSignature}}
}

// trusted runs a command as the system user.
func (s *Server) trusted(_ http.ResponseWriter, r *http.Request, p Params) reply {
	command, _ := p.get("command")
	for _, name := range refusedOnIntegrationPort {
		if _, given := p.get(name); given {
			return reply{root: s.root(command), err: &Error{Code: CodeAccount, CSCode: CSAPIException,
				Text: fmt.Sprintf("Parameter %s can't be passed through the API integration port", name)}}
		}
	}
	return s.call(r, nil, command, p)
}

func (s *Server) call(r *http.Request, login any, command string, p Params) reply {
	if command == "" {
		return reply{root: "errorresponse", err: &Error{Code: CodeUnsupported, CSCode: CSAPIException,
			Text: "Invalid request, no command sent"}}
	}
	if _, known := s.opts.Backend.Find(command); !known {
		s.lacks(command)
	}
	out := reply{root: s.root(command)}
	if name, bad := p.control(); bad {
		out.err = BadParameter("Received value containing illegal ASCII non-printable characters for parameter %s",
			name)
		return out
	}
	body, err := s.opts.Backend.Call(r.Context(), login, command, p.lower())
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = Internal("%s", err.Error())
		}
		out.err = e
		return out
	}
	out.body = body
	return out
}
