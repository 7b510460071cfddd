package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/audit/damage"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func labCommand() *cobra.Command {
	c := &cobra.Command{Use: "lab", Short: "The embedded lab zone on its own"}
	c.AddCommand(labUpCommand())
	return c
}

// standing is what a person or a program needs to use a standing lab zone.
type standing struct {
	Release     string `json:"release"`
	API         string `json:"api"`
	APIKey      string `json:"apikey"`
	SecretKey   string `json:"secretkey"`
	Integration string `json:"integration"`
	DSN         string `json:"dsn"`
	SelectDSN   string `json:"select_dsn"`
	Log         string `json:"log"`
}

func labUpCommand() *cobra.Command {
	var name, listen, integration, like string
	var knobs []string
	var planted string
	var asJSON, bare bool
	var seed int64
	var speed float64
	c := &cobra.Command{Use: "up", Short: "A lab zone that stays until Ctrl-C", Args: noArgs,
		Long: `Opens a lab zone on loopback and leaves it standing for cmk, a browser, mysql or another stackproof,
until Ctrl-C. Its time is the computer's, or runs faster (--speed); its usage server runs once a minute. Pushes are
written to the management log, they reach no router.`}
	f := c.Flags()
	f.StringVar(&name, "release", release.Default, "release profile")
	f.StringArrayVar(&knobs, "knob", nil, "switch one behaviour: NAME, NAME=off or NAME=VALUE (repeatable)")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address of the API")
	f.StringVar(&integration, "listen-integration", "127.0.0.1:0", "address of the unauthenticated API")
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
		set, err := knobsOf(name, knobs)
		if err != nil {
			return err
		}
		load, known := map[string]zone.Load{"quiet": {}, "busy": zone.Busy()}[like]
		if !known {
			return usage("--behaves-like takes quiet or busy, not %q", like)
		}
		var clock zone.Clock = zone.Wall{}
		if speed > 1 {
			clock = zone.NewScaled(speed)
		}
		var history *damage.Options
		if planted != "" {
			o, err := damage.ParseSpec(planted)
			if err != nil {
				return usage("--damage %w", err)
			}
			history = &o
		}
		return cannotRun(labUp(c, history, zone.Options{Clock: clock, Release: name, Knobs: set, Listen: listen,
			ListenIntegration: integration, Seed: seed, Bare: bare, Load: load}, asJSON))
	}
	return c
}

func labUp(c *cobra.Command, history *damage.Options, o zone.Options, asJSON bool) (err error) {
	ctx := c.Context()
	defer func() {
		// Ctrl-C is how a standing lab ends; it is no error.
		if context.Cause(ctx) != nil && errors.Is(err, harness.ErrInterrupted) {
			err = nil
		}
	}()
	var undo []func(context.Context) error
	defer func() {
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i](context.WithoutCancel(ctx)))
		}
	}()
	if _, err := lab.CleanStale(ctx); err != nil {
		return err
	}
	server, err := database.Start(ctx, database.Options{Schema: o.Release})
	if err != nil {
		return err
	}
	undo = append(undo, func(context.Context) error { return server.Close() })
	dir, err := os.MkdirTemp("", labFolder())
	if err != nil {
		return fmt.Errorf("making the lab's folder: %w", err)
	}
	undo = append(undo, func(context.Context) error { return os.RemoveAll(dir) })
	log, err := os.Create(filepath.Join(dir, "management-server.log"))
	if err != nil {
		return fmt.Errorf("making the management log: %w", err)
	}
	undo = append(undo, func(context.Context) error { return log.Close() })
	o.DB, o.ManagementLog = server, log
	z, err := zone.Open(ctx, o)
	if err != nil {
		return err
	}
	undo = append(undo, z.Close)
	if history != nil {
		if err := plantDamage(c, server, *history); err != nil {
			return err
		}
	}
	s := standing{o.Release, z.APIURL(), z.APIKey(), z.SecretKey(), z.IntegrationURL(), server.DSN(),
		server.ReadOnlyDSN(), log.Name()}
	if err := s.print(c, asJSON); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-server.Ended():
		return fmt.Errorf("the lab's database ended by itself: its last words:\n%s", server.LastWords())
	}
}

// damageBase is what the ids of planted objects begin after, far from those of the lab's own.
const damageBase = 1_000_000

// plantDamage writes a history that ends shortly before now, and says what is wrong with it.
func plantDamage(c *cobra.Command, server *database.Server, o damage.Options) (err error) {
	o.Base, o.Accounts = damageBase, []int64{2} // the lab's administrator
	h := damage.Play(o.Until(time.Now()))
	h.Plant()
	db, err := server.Open(c.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := h.Write(c.Context(), db); err != nil {
		return fmt.Errorf("planting damage: %w", err)
	}
	classes := map[string]int{}
	for _, t := range h.Truth() {
		classes[t.Class]++
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		fmt.Fprintf(c.ErrOrStderr(), "damage planted: %d %s\n", classes[class], class)
	}
	return nil
}

func (s standing) print(c *cobra.Command, asJSON bool) error {
	if asJSON {
		return printJSON(c, s)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), `lab zone %s is up (Ctrl-C ends it)
  api          %s
  apikey       %s
  secretkey    %s
  integration  %s   (no authentication)
  login        admin / password
  dsn          %s
  select dsn   %s
  log          %s
`, s.Release, s.API, s.APIKey, s.SecretKey, s.Integration, s.DSN, s.SelectDSN, s.Log)
	return err
}

// labFolder marks the folders of standing labs, with their owner's process id.
func labFolder() string { return fmt.Sprintf("stackproof-lab-%d-", os.Getpid()) }
