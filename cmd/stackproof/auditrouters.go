package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/harness/realrouter"
	"github.com/stackproof/stackproof/router"
)

// routersFlags say what an audit looks at beside the databases.
type routersFlags struct {
	command string
	reach   bool
}

func (f *routersFlags) add(s *pflag.FlagSet) {
	s.StringVar(
		&f.command,
		"router",
		"",
		"command that leads into a virtual router, to compare what is in force there "+
			"with the database, for instance 'ssh {host} ssh -p 3922 root@{linklocal} {command}' (default: the "+
			"target's)",
	)
	s.BoolVar(&f.reach, "reach", false, "connect once from here to the public address of every rule")
}

// options completes o; ofTarget is the command of the target that is audited.
func (f *routersFlags) options(o *audit.Options, ofTarget func() (string, error)) error {
	command := f.command
	if command == "" {
		var err error
		if command, err = ofTarget(); err != nil {
			return err
		}
	}
	if command != "" {
		template, err := realrouter.ParseTemplate(command)
		if err != nil {
			return usage("--router: %w", err)
		}
		o.Routers = insideRouters{template}
	}
	if f.reach {
		o.Reach = connectOnce
	}
	return nil
}

// reachTime bounds one connection.
const reachTime = 3 * time.Second

func connectOnce(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: reachTime}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// insideRouters looks into routers through a command (audit.Routers).
type insideRouters struct{ template realrouter.Template }

// View implements audit.Routers.
func (r insideRouters) View(ctx context.Context, p audit.RouterPlace) (audit.RouterView, error) {
	routers := realrouter.New(realrouter.Options{Template: r.template,
		Place: func(context.Context, string) (realrouter.Place, error) {
			return realrouter.Place{Name: p.Name, Host: p.Host, LinkLocal: p.LinkLocal, PublicIP: p.PublicIP}, nil
		}})
	files, err := routers.Files(ctx, p.Name)
	v := audit.RouterView{Files: files, Tables: map[string]int64{}}
	if err != nil || files.MasterPID == 0 {
		return v, err
	}
	ask, err := routers.Admin(ctx, p.Name)
	if err != nil {
		return v, err
	}
	if v.Stats, err = ask.ShowStat(ctx); err != nil {
		v.Silent = err.Error()
		return v, nil
	}
	for name, section := range router.Listens(files.Live) {
		if section.StickTable() == "" {
			continue
		}
		table, err := ask.ShowTable(ctx, name)
		if err != nil {
			v.Silent = fmt.Sprintf("table %s: %v", name, err)
			return v, nil
		}
		v.Tables[name] = table.Used
	}
	return v, nil
}
