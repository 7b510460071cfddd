// Package standing is a lab zone that is left standing: for people, for the clients of the ecosystem (cmk, cs,
// Terraform, Ansible, libcloud), and for another stackproof. It writes a ready profile for them and says on one line
// what the lab lacks when they ask for it.
//
// It is not the lab target of a run (package lab), whose zones are pristine and whose clock jumps. Before changing it
// know that everything it makes is in one folder that carries the process id, so that stackproof cleanup finds it after
// a kill.
package standing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// UsualAddress is where the API listens when that is free: the port of a management server.
const UsualAddress = "127.0.0.1:8080"

// Options say what to leave standing.
type Options struct {
	// Zone is the zone. Its database, logs, pushes and listener are made here; an empty Listen is UsualAddress, or any
	// free port where that is taken.
	Zone zone.Options
	// Routers gives the zone virtual routers with a real HAProxy, and proxies on loopback through which requests reach
	// them from different source addresses.
	Routers bool
	// Errs gets one line for each command and parameter that a client used and the lab does not have. Nil for nobody.
	Errs io.Writer
}

// Access is what a person or a program needs to use a standing lab.
type Access struct {
	Release     string `json:"release"`
	Page        string `json:"page"` // the start page, for a browser
	API         string `json:"api"`
	APIKey      string `json:"apikey"`
	SecretKey   string `json:"secretkey"`
	Username    string `json:"username"`
	Password    string `json:"password"`
	Integration string `json:"integration"` // the API without authentication
	DSN         string `json:"dsn"`
	SelectDSN   string `json:"select_dsn"`
	Log         string `json:"log"` // the management log
	Cmk         string `json:"cmk"` // a cmk configuration with one profile
	Env         string `json:"env"` // shell variables of the usual clients
	// Proxies are SOCKS5 addresses, each a client address of its own in front of the zone's routers.
	Proxies []string `json:"proxies,omitempty"`
}

// Lab is a standing zone.
type Lab struct {
	Access   Access
	Database *database.Server

	undo []func(context.Context) error
}

// Open leaves a zone standing until Close.
func Open(ctx context.Context, o Options) (_ *Lab, err error) {
	l := &Lab{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close(context.WithoutCancel(ctx)))
		}
	}()
	if _, err := lab.CleanStale(ctx); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, o.Zone.Listen)
	if err != nil {
		return nil, err
	}
	l.onClose(func(context.Context) error { return ignoreClosed(listener.Close()) })
	if l.Database, err = database.Start(ctx, database.Options{Schema: o.Zone.Release}); err != nil {
		return nil, err
	}
	l.onClose(func(context.Context) error { return l.Database.Close() })
	dir, err := os.MkdirTemp("", fmt.Sprintf("stackproof-lab-%d-", os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("making the lab's folder: %w", err)
	}
	l.onClose(func(context.Context) error { return os.RemoveAll(dir) })
	log, err := os.Create(filepath.Join(dir, "management-server.log"))
	if err != nil {
		return nil, fmt.Errorf("making the management log: %w", err)
	}
	l.onClose(func(context.Context) error { return log.Close() })
	o.Zone.DB, o.Zone.ManagementLog, o.Zone.Listener = l.Database, log, listener
	if o.Zone.Knobs, err = packaged(o.Zone); err != nil {
		return nil, err
	}
	if o.Errs != nil {
		o.Zone.Log = lacks(o.Errs)
	}
	if o.Routers {
		if err := l.startRouters(dir, &o.Zone); err != nil {
			return nil, err
		}
	}
	z, err := zone.Open(ctx, o.Zone)
	if err != nil {
		return nil, err
	}
	l.onClose(z.Close)
	l.Access.Release, l.Access.Page, l.Access.API = o.Zone.Release, "http://"+listener.Addr().String()+"/", z.APIURL()
	l.Access.APIKey, l.Access.SecretKey, l.Access.Username, l.Access.Password = z.APIKey(), z.SecretKey(), "admin",
		"password"
	l.Access.Integration, l.Access.DSN, l.Access.SelectDSN = z.IntegrationURL(), l.Database.DSN(),
		l.Database.ReadOnlyDSN()
	l.Access.Log = log.Name()
	return l, l.Access.write(dir)
}

// startRouters gives the zone routers, and these proxies.
func (l *Lab) startRouters(dir string, o *zone.Options) error {
	if err := os.Chmod(dir, 0o755); err != nil { // HAProxy drops its rights and must still read its files
		return fmt.Errorf("opening the routers' folder: %w", err)
	}
	routers := fleet.New(dir, router.RulesOf(o.Knobs), nil)
	l.onClose(func(context.Context) error { return routers.Close() })
	o.Pushes = lab.Pushes(routers)
	for _, client := range routers.Clients()[:proxies] {
		p, err := startProxy(routers.ConnectAt, client)
		if err != nil {
			return err
		}
		l.onClose(func(context.Context) error { return p.close() })
		l.Access.Proxies = append(l.Access.Proxies, p.address())
	}
	return nil
}

// listen takes the wanted address, or the usual one, or any where that is taken.
func listen(ctx context.Context, wanted string) (net.Listener, error) {
	var config net.ListenConfig
	tries := []string{wanted}
	if wanted == "" {
		tries = []string{UsualAddress, "127.0.0.1:0"}
	}
	var errs []error
	for _, at := range tries {
		l, err := config.Listen(ctx, "tcp", at)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("listening for the API: %w", errors.Join(errs...))
}

// ignoreClosed takes it that the zone closes what it listens on.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (l *Lab) onClose(f func(context.Context) error) { l.undo = append(l.undo, f) }

// Ended is closed when the lab's database has ended by itself; LastWords are then its last words.
func (l *Lab) Ended() <-chan struct{} { return l.Database.Ended() }

// LastWords are the end of the database's log.
func (l *Lab) LastWords() string { return l.Database.LastWords() }

// Close ends everything and removes the folder.
func (l *Lab) Close(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(l.undo) {
		errs = append(errs, f(ctx))
	}
	l.undo = nil
	return errors.Join(errs...)
}
