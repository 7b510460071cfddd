package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/audit/damage"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/standing"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func labCommand() *cobra.Command {
	c := &cobra.Command{Use: "lab", Short: "The embedded lab zone on its own"}
	c.AddCommand(labUpCommand())
	return c
}

func labUpCommand() *cobra.Command {
	var name, listen, integration, like string
	var knobs []string
	var planted string
	var asJSON, bare, routers, anywhere bool
	var seed int64
	var speed float64
	c := &cobra.Command{Use: "up", Short: "A lab zone that stays until Ctrl-C", Args: noArgs,
		Long: `Opens a lab zone on loopback and leaves it standing for cmk, Terraform, Ansible, a browser, mysql or another
stackproof, until Ctrl-C. Its time is the computer's, or runs faster (--speed); its usage server runs once a minute. It
writes a cmk profile and a file of shell variables, and says on stderr what a client asked for and the lab lacks.

Pushes are written to the management log. With --routers they also reach a real HAProxy per virtual router, and SOCKS5
proxies on loopback let requests come from different client addresses.`}
	f := c.Flags()
	f.StringVar(&name, "release", release.Default, "release profile")
	f.StringArrayVar(&knobs, "knob", nil, "switch one behaviour: NAME, NAME=off or NAME=VALUE (repeatable)")
	f.StringVar(&listen, "listen", "", "address of the API (default "+standing.UsualAddress+
		", or any free port where that is taken)")
	f.BoolVar(&routers, "routers", false, "give the zone routers with a real HAProxy, and proxies to reach them")
	f.StringVar(&integration, "listen-integration", "127.0.0.1:0", "address of the unauthenticated API")
	f.BoolVar(&anywhere, "listen-anywhere", false,
		"let --listen and --listen-integration name an address that other machines reach: the lab's keys and its "+
			"unauthenticated API are for anybody there")
	f.StringVar(&like, "behaves-like", "quiet",
		"how much the management server has to do: quiet, or busy: job times measured on a loaded server, "+
			"ten job workers that removals of accounts exhaust, late commits, lost answers")
	f.BoolVar(&asJSON, "json", false, "print the access data as one JSON object")
	f.BoolVar(&bare, "bare", false, "a management server without a zone (see stackproof zone deploy)")
	f.Int64Var(&seed, "seed", 1, "seed of generated ids and keys")
	f.Float64Var(&speed, "speed", 1, "how many times as fast the zone's time runs; another stackproof must then "+
		"take the API's clock (--clock api)")
	f.StringVar(&planted, "damage", "", "begin with damaged usage rows, as a server's handler leaves them behind: "+
		"HANDLER[:ACTIONS[:SEED]], such as by-helper-id:2000 (sound, by-helper-id, stalled)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if speed < 1 || speed > 600 {
			return usage("--speed must be between 1 and 600, not %g", speed)
		}
		if !anywhere {
			for flag, address := range map[string]string{"listen": listen, "listen-integration": integration} {
				if err := onLoopback(flag, address); err != nil {
					return err
				}
			}
		}
		set, err := knobsOf(name, knobs)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(knobs, func(word string) bool {
			return strings.HasPrefix(word, string(release.CapabilitiesNullString))
		}) {
			delete(set, release.CapabilitiesNullString) // a simulator's fault, which clients meet first
		}
		load, known := map[string]zone.Load{"quiet": {}, "busy": zone.Busy()}[like]
		if !known {
			return usage("--behaves-like takes quiet or busy, not %q", like)
		}
		var clock zone.Clock = zone.Wall{}
		if speed > 1 {
			clock = zone.NewScaled(speed)
		}
		var inherit func(context.Context, *database.Server) error
		if planted != "" {
			history, err := damage.ParseSpec(planted)
			if err != nil {
				return usage("--damage %w", err)
			}
			inherit = damagedPast(c.ErrOrStderr(), clock.Now(), history)
		}
		if err := needStanding(c.Context(), routers); err != nil {
			return cannotRun(err)
		}
		return cannotRun(labUp(c, standing.Options{Routers: routers, Errs: c.ErrOrStderr(),
			Zone: zone.Options{Clock: clock, Release: name, Knobs: set, Listen: listen, ListenIntegration: integration,
				Seed: seed, Bare: bare, Load: load, Inherit: inherit}}, asJSON))
	}
	return c
}

// onLoopback refuses an address that other machines may reach. A name other than localhost may lead anywhere.
func onLoopback(flag, address string) error {
	if address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return usage("--%s must be HOST:PORT, not %q", flag, address)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usage("--%s %s is not on loopback: others would have the lab's keys; --listen-anywhere allows it", flag,
		address)
}

// needStanding finds what routers need before anything is started.
func needStanding(ctx context.Context, routers bool) error {
	if !routers {
		return nil
	}
	if err := needPrograms(ctx); err != nil {
		return err
	}
	return network.Enter()
}

func labUp(c *cobra.Command, o standing.Options, asJSON bool) (err error) {
	ctx := c.Context()
	defer func() {
		// Ctrl-C is how a standing lab ends; it is no error.
		if context.Cause(ctx) != nil && errors.Is(err, harness.ErrInterrupted) {
			err = nil
		}
	}()
	l, err := standing.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close(context.WithoutCancel(ctx))) }()
	if asJSON {
		err = printJSON(c, l.Access)
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), l.Access.Text())
	}
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.Ended():
		return fmt.Errorf("the lab's database ended by itself: its last words:\n%s", l.LastWords())
	}
}

// damageBase is what the ids of planted objects begin after, far from those of the lab's own.
const damageBase = 1_000_000

// damagedPast writes a history that ends shortly before now, and says what is wrong with it.
func damagedPast(say io.Writer, now time.Time, o damage.Options) func(context.Context, *database.Server) error {
	return func(ctx context.Context, server *database.Server) (err error) {
		o.Base, o.Accounts = damageBase, []int64{2} // the lab's administrator
		h := damage.Play(o.Until(now))
		h.Plant()
		db, err := server.Open(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if err := h.Write(ctx, db); err != nil {
			return fmt.Errorf("planting damage: %w", err)
		}
		classes := map[string]int{}
		for _, t := range h.Truth() {
			classes[t.Class]++
		}
		for _, class := range slices.Sorted(maps.Keys(classes)) {
			fmt.Fprintf(say, "damage planted: %d %s\n", classes[class], class)
		}
		return nil
	}
}
