// Package faultproxy stands between a client and a management server and breaks exchanges: for tests of what must never
// give a wrong verdict or leave anything behind.
//
// It is not a network emulator: a fault hits one exchange, chosen by a seed, and everything else goes through
// untouched.
//
// The one thing to know before changing it: each fault says whether the server carried the call out (Reaches), since
// that is the difference which a client must not guess.
package faultproxy

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Fault is what happens to an exchange.
type Fault string

// The faults.
const (
	Delay        Fault = "delay"         // the answer is late
	ResetBefore  Fault = "reset before"  // the connection breaks before the server sees the call
	ResetAfter   Fault = "reset after"   // the server carries the call out, the connection breaks before the answer
	BadGateway   Fault = "bad gateway"   // a proxy answers 502 in HTML; the server saw nothing
	GatewayLate  Fault = "gateway late"  // a proxy answers 504 in HTML; the server carried the call out
	Half         Fault = "half answer"   // the answer is cut in its middle
	HalfJSON     Fault = "half JSON"     // the answer ends in its middle as if that were all
	Twice        Fault = "answer twice"  // the answer comes twice in one
	Stale        Fault = "stale answer"  // the answer is that of the call before
	Refused      Fault = "refused"       // the server fails within, with 530, and carries nothing out
	Starting     Fault = "starting"      // the management server is starting: HTML with 503
	StartingFine Fault = "starting, 200" // the same with 200, as the servlet container does for a moment
)

// Reaches says whether the server carries out a call that is hit.
func (f Fault) Reaches() bool {
	return f != ResetBefore && f != BadGateway && f != Refused && f != Starting && f != StartingFine
}

// Share is how often a fault hits: the probability that it hits one exchange.
type Share struct {
	Fault Fault
	Rate  float64
}

// Proxy is the server in front. Close what serves it.
type Proxy struct {
	to     *url.URL
	shares []Share
	delay  time.Duration // of the fault Delay
	late   time.Duration // of every answer

	mu   sync.Mutex
	rng  *rand.Rand
	last []byte // body of the last answer
	hits int
}

// New stands in front of the server at address and breaks each exchange with the given probability, by seed.
func New(address string, fault Fault, rate float64, seed uint64) (*Proxy, error) {
	return Mix(address, seed, 0, Share{fault, rate})
}

// Mix is New with several faults, of which at most one hits an exchange, in front of a server whose every answer is
// late.
func Mix(address string, seed uint64, late time.Duration, shares ...Share) (*Proxy, error) {
	to, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	return &Proxy{to: to, shares: shares, delay: 300 * time.Millisecond, late: late,
		rng: rand.New(rand.NewPCG(seed, 0xfa17))}, nil // repeatable on purpose
}

// Hits is how many exchanges were broken.
func (p *Proxy) Hits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

// hit is the fault that hits the next exchange; empty for none.
func (p *Proxy) hit() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	drawn := p.rng.Float64()
	for _, s := range p.shares {
		if drawn < s.Rate {
			p.hits++
			return s.Fault
		}
		drawn -= s.Rate
	}
	return ""
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hit := p.hit()
	if hit != "" && !hit.Reaches() {
		p.refuse(w, hit)
		return
	}
	answer, err := p.forward(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	p.mu.Lock()
	before := p.last
	p.last = answer.body
	p.mu.Unlock()
	pause(r, p.late)
	if hit != "" {
		p.spoil(w, r, hit, answer, before)
		return
	}
	answer.write(w, answer.body)
}

// refuse breaks an exchange that the server never sees.
func (p *Proxy) refuse(w http.ResponseWriter, fault Fault) {
	switch fault {
	case ResetBefore:
		panic(http.ErrAbortHandler)
	case BadGateway:
		page(w, http.StatusBadGateway, "502 Bad Gateway")
	case Refused:
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(530) // CloudStack's own: an internal error
		fmt.Fprint(w, `{"errorresponse":{"uuidList":[],"errorcode":530,"cserrorcode":9999,`+
			`"errortext":"Internal error executing command, please contact your system administrator"}}`)
	case Starting:
		page(w, http.StatusServiceUnavailable, "HTTP ERROR 503 Service Unavailable")
	default:
		page(w, http.StatusOK, "Starting the management server ...")
	}
}

func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1></body></html>", text)
}

// spoil breaks the answer to a call that was carried out.
func (p *Proxy) spoil(w http.ResponseWriter, r *http.Request, fault Fault, a answer, before []byte) {
	switch fault {
	case Delay:
		pause(r, p.delay)
		a.write(w, a.body)
	case ResetAfter:
		panic(http.ErrAbortHandler)
	case GatewayLate:
		page(w, http.StatusGatewayTimeout, "504 Gateway Time-out")
	case Half:
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.write(w, a.body[:len(a.body)/2])
		panic(http.ErrAbortHandler)
	case HalfJSON:
		a.write(w, a.body[:len(a.body)/2])
	case Twice:
		a.write(w, append(bytes.Clone(a.body), a.body...))
	case Stale:
		a.write(w, before)
	}
}

// pause lets time go by, unless the client goes first.
func pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) write(w http.ResponseWriter, body []byte) {
	for _, name := range []string{"Content-Type", "X-Description", "Date", "Set-Cookie"} {
		for _, v := range a.header.Values(name) {
			w.Header().Add(name, v)
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the client may be gone
}

// forward carries the call out, even if the client is gone meanwhile.
func (p *Proxy) forward(r *http.Request) (answer, error) {
	out := httputil.ProxyRequest{In: r, Out: r.Clone(r.Context())}
	out.SetURL(&url.URL{Scheme: p.to.Scheme, Host: p.to.Host})
	out.Out.RequestURI = ""
	resp, err := http.DefaultTransport.RoundTrip(out.Out)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}
