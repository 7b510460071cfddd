package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Options say where a management server is and how calls reach it. Exactly one way of authentication must be given: a
// key pair, a login, or Integration.
type Options struct {
	// URL is the API's address, for instance https://cloud.example.org/client/api. An address without a path gets
	// /client/api.
	URL string

	APIKey    string
	SecretKey string

	Username string
	Password string
	// Domain is the login's domain path ("/reg"); empty is ROOT.
	Domain string

	// Integration says that URL is the unauthenticated integration port (integration.api.port). It reads the query of
	// the URL only, so parameters never go into a body.
	Integration bool
	// UserURL is the address at which users are known, where URL is the integration port. Without it there is no client
	// As one.
	UserURL string

	// Project is the id of a project that every call is made in; empty for none.
	Project string

	// HTTPClient replaces the client's own transport; CAFile and Insecure are then not looked at. Its redirects are not
	// followed.
	HTTPClient *http.Client
	// CAFile is a PEM file of authorities that are trusted besides the system's.
	CAFile string
	// Insecure accepts any certificate.
	Insecure bool

	// Timeout bounds one HTTP exchange; default 60 s. It does not bound a job. Where calls of a command take long, or
	// one missed its deadline, the next ones are given more, up to 10 minutes.
	Timeout time.Duration
	// Late is how long a create that missed its deadline is looked for before it is made again; default 5 minutes.
	Late time.Duration
	// Parallel bounds how many changes are at work on the server at once; default 16. Fewer are while the server is
	// slow.
	Parallel int
	// Now is the clock for the signature's expiry; default time.Now.
	Now func() time.Time
	// Trace gets one line per exchange, in the form of the recorded api.jsonl, with secrets removed.
	Trace io.Writer
	// Eager lifts the limits on calls and job polls, and polls in steps of milliseconds. For a server in the same
	// process or on loopback only.
	Eager bool
	// Retries is how often a read is repeated after a transport error or a 5xx of something in front of CloudStack;
	// default 4. Negative means never.
	Retries int
}

const (
	defaultTimeout = 60 * time.Second
	defaultRetries = 4
	defaultLate    = 5 * time.Minute
	// idleFor is how long an unused connection is kept. The management server closes its end after 30 s
	// (ServerDaemon.java@4.19.1.0, @4.20.1.0): a change sent at that moment would be lost without anybody knowing
	// whether it arrived.
	idleFor = 10 * time.Second
)

// Check reports the first thing that is wrong with the options, and what to do. It sends nothing.
func (o *Options) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case o.URL == "":
		return errors.New("cloud: no API URL given: set it, for instance https://cloud.example.org/client/api")
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		shown := strconv.Quote(o.URL)
		if strings.Contains(o.URL, "@") {
			shown = "the given address (not shown: it may hold a password)"
		}
		return fmt.Errorf("cloud: %s is not an API URL: want http(s)://host[:port]/client/api", shown)
	case u.User != nil:
		return errors.New("cloud: the API URL carries a user and password: give a key pair or a login instead")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/client/api"
		o.URL = u.String()
	}
	return o.checkAuthentication()
}

func (o *Options) checkAuthentication() error {
	ways := 0
	if o.APIKey != "" || o.SecretKey != "" {
		ways++
	}
	if o.Username != "" || o.Password != "" {
		ways++
	}
	if o.Integration {
		ways++
	}
	switch {
	case ways == 0:
		return errors.New("cloud: no way to authenticate: give an API key and a secret key, a username and " +
			"password, or say that the URL is the integration port")
	case ways > 1:
		return errors.New("cloud: more than one way to authenticate: give either a key pair, or a login, or the " +
			"integration port")
	case o.APIKey == "" && o.SecretKey != "":
		return errors.New("cloud: a secret key without an API key: give both")
	case o.APIKey != "" && o.SecretKey == "":
		return errors.New("cloud: an API key without a secret key: give both")
	case o.Username == "" && o.Password != "":
		return errors.New("cloud: a password without a username: give both")
	case o.Username != "" && o.Password == "":
		return errors.New("cloud: a username without a password: give both")
	}
	return nil
}

// httpClient builds the transport. The second value closes what was opened.
func (o *Options) httpClient() (*http.Client, func(), error) {
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.HTTPClient != nil {
		own := *o.HTTPClient
		own.CheckRedirect = noRedirect
		return &own, func() {}, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}
	if o.CAFile != "" {
		pool, err := authorities(o.CAFile)
		if err != nil {
			return nil, nil, err
		}
		conf.RootCAs = pool
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     conf,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64, // scenarios run side by side; the default of 2 would open a connection per call
		IdleConnTimeout:     idleFor,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	return &http.Client{Transport: transport, CheckRedirect: noRedirect}, transport.CloseIdleConnections, nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cloud: read the certificate authorities: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cloud: %s holds no PEM certificate: give a file of the authority that signed the "+
			"server's certificate", file)
	}
	return pool, nil
}
