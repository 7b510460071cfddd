// Package clock is the time of a target that somebody else runs: the database's, the management server's, or this
// machine's. It passes time by really waiting.
package clock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Source tells the target's time.
type Source interface {
	Now(ctx context.Context) (time.Time, error)
}

// Database is the database's time in GMT, whatever the session's zone is.
type Database struct{ DB *sql.DB }

// Now implements Source.
func (c Database) Now(ctx context.Context) (time.Time, error) {
	var text string
	if err := c.DB.QueryRowContext(ctx, "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:%i:%s')").Scan(
		&text); err != nil {
		return time.Time{}, fmt.Errorf("reading the database's time: %w", err)
	}
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the database's time: %w", err)
	}
	return t, nil
}

// Own is this machine's time.
type Own struct{}

// Now implements Source.
func (Own) Now(context.Context) (time.Time, error) { return time.Now().UTC(), nil }

// ErrNoDate: a packaged management server sends no Date header (ServerDaemon.java@4.19.1.0, @4.20.1.0 switch it off);
// one that Maven started does, and so do many proxies.
var ErrNoDate = errors.New("the API's answers have no Date header, as is usual for a packaged management server: " +
	"leave clock out, or set clock: database")

// API is the Date header of the management server's answers; whether the call is let in does not matter.
type API struct {
	url    string
	client *http.Client
}

// NewAPI makes the clock of an API at an address, with the options of its client.
func NewAPI(o cloud.Options, url string) (*API, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure} // the owner asked for it
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate authorities: %w", err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		conf.RootCAs = pool
	}
	return &API{url: url, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, MaxIdleConnsPerHost: 8,
		IdleConnTimeout: 10 * time.Second}}}, nil
}

// dateTries is how often the header is asked for, when something in between breaks the exchange.
const dateTries = 5

// Now implements Source.
func (c *API) Now(ctx context.Context) (time.Time, error) {
	var last error
	for try := range dateTries {
		if try > 0 && Wait(ctx, time.Duration(try*try)*100*time.Millisecond) != nil {
			break
		}
		now, err := c.Once(ctx)
		if err == nil || errors.Is(err, ErrNoDate) {
			return now, err
		}
		last = err
	}
	return time.Time{}, fmt.Errorf("reading the management server's time: %w", last)
}

// Once asks one time: an exchange that something in between broke is an error.
func (c *API) Once(ctx context.Context) (time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"?command=listCapabilities&response=json", nil)
	if err != nil {
		return time.Time{}, err
	}
	answer, err := c.client.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	if err := answer.Body.Close(); err != nil {
		return time.Time{}, err
	}
	// A gateway's page has the gateway's time, which says nothing of the server's.
	if kind := answer.Header.Get("Content-Type"); !strings.Contains(kind, "json") &&
		!strings.Contains(kind, "javascript") {
		return time.Time{}, fmt.Errorf("the answer is not the API's (HTTP %d %s)", answer.StatusCode, kind)
	}
	t, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return time.Time{}, ErrNoDate
	}
	return t.UTC(), nil
}

// Close ends idle connections.
func (c *API) Close() { c.client.CloseIdleConnections() }

// Clock implements harness.Clock by really waiting.
type Clock struct{ Source }

// The steps in which Pass looks at the clock.
const (
	FirstLook = 10 * time.Millisecond
	LastLook  = 500 * time.Millisecond
)

// Pass waits until the target's time is d later.
func (c Clock) Pass(ctx context.Context, d time.Duration) error {
	now, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return c.Until(ctx, now.Add(d))
}

// Until waits for a time of the target.
func (c Clock) Until(ctx context.Context, t time.Time) error {
	for step := FirstLook; ; step = min(2*step, LastLook) {
		now, err := c.Now(ctx)
		if err != nil {
			return err
		}
		if !now.Before(t) {
			return nil
		}
		if err := Wait(ctx, step); err != nil {
			return err
		}
	}
}

// Wait lets d of our own time pass.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
