package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// need is one thing that the lab takes from the machine.
type need struct {
	Name  string        `json:"need"`
	State finding.State `json:"state"`
	// Evidence is what was seen, or what is missing.
	Evidence string `json:"evidence"`
	// Remedy is the command that mends it; empty when nothing is wrong.
	Remedy string `json:"remedy,omitempty"`
}

// labDiagnosed is what doctor prints of the lab as JSON.
type labDiagnosed struct {
	Target string `json:"target"`
	Needs  []need `json:"needs"`
}

// machine is how the lab's needs are looked for; tests have machines on which something is missing.
type machine struct {
	haproxy, database func() (string, error)
	namespaces        func() error
	memory            func() (io.ReadCloser, error) // as /proc/meminfo
	installer         string                        // "sudo apt-get install"; empty where none is known
	temporary         string
	workers           int // zones at once by default
}

// thisMachine is the one that we run on. Without rights of our own it comes back in a user namespace (network.Enter).
func thisMachine() machine {
	m := machine{
		haproxy:    func() (string, error) { return router.FindHAProxy("") },
		database:   func() (string, error) { return database.Find("") },
		namespaces: network.Enter,
		memory:     func() (io.ReadCloser, error) { return os.Open("/proc/meminfo") },
		temporary:  os.TempDir(),
		workers:    runtime.NumCPU(),
	}
	for _, tool := range []string{"apt-get", "dnf", "zypper"} {
		if _, err := exec.LookPath(tool); err == nil {
			m.installer = "sudo " + tool + " install"
			break
		}
	}
	return m
}

// install is the command that installs a package.
func (m machine) install(name string) string {
	if m.installer == "" {
		return "install the package " + name
	}
	return m.installer + " " + name
}

// needs looks for everything that the lab cannot do without.
func (m machine) needs() []need {
	return []need{
		m.program("haproxy", "haproxy", m.haproxy),
		m.program("database", "mariadb-server", m.database),
		m.namespace(),
		m.room(),
		m.folder(),
	}
}

func (m machine) program(name, pkg string, find func() (string, error)) need {
	path, err := find()
	if err != nil {
		return need{name, finding.Missing, err.Error(), m.install(pkg)}
	}
	return need{name, finding.OK, path, ""}
}

func (m machine) namespace() need {
	err := m.namespaces()
	var refused *network.PrivilegeError
	switch {
	case errors.As(err, &refused):
		return need{"namespaces", finding.Missing, fmt.Sprintf("cannot make network namespaces: %v", refused.Reason),
			refused.Help}
	case err != nil:
		return need{"namespaces", finding.Broken, err.Error(), ""}
	}
	return need{"namespaces", finding.OK, "network namespaces can be made", ""}
}

// What a lab takes, in MiB. Measured with MariaDB 10.11 and HAProxy 2.6: 80 for a zone's database, 13 for each of a
// router's two HAProxy processes, 60 to 100 for stackproof itself.
const (
	labMemory  = 100
	zoneMemory = 120
)

func (m machine) room() need {
	free, err := m.available()
	if err != nil {
		return need{"memory", finding.Broken, err.Error(), ""}
	}
	fit := (free - labMemory) / zoneMemory
	evidence := fmt.Sprintf("%d MiB are free; a lab takes about %d MiB, and %d MiB for each zone", free, labMemory,
		zoneMemory)
	switch {
	case fit < 1:
		return need{"memory", finding.Missing, evidence, "end other programs, or give the machine more memory"}
	case fit < m.workers:
		return need{"memory", finding.OK, evidence,
			fmt.Sprintf("run with --workers %d: %d zones at once are the default here", fit, m.workers)}
	}
	return need{"memory", finding.OK, evidence, ""}
}

// available is the memory that programs can still have, in MiB.
func (m machine) available() (int, error) {
	file, err := m.memory()
	if err != nil {
		return 0, fmt.Errorf("reading the free memory: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == "MemAvailable:" {
			kib, err := strconv.Atoi(words[1])
			if err != nil {
				return 0, fmt.Errorf("reading the free memory: %w", err)
			}
			return kib / 1024, nil
		}
	}
	return 0, errors.Join(errors.New("reading the free memory: there is no line MemAvailable"), lines.Err())
}

// folder tries the temporary folder, in which databases and routers live.
func (m machine) folder() need {
	dir, err := os.MkdirTemp(m.temporary, "stackproof-doctor-")
	if err == nil {
		err = os.Remove(dir)
	}
	if err != nil {
		return need{"folder", finding.Missing, err.Error(), "name another one: TMPDIR=/var/tmp stackproof ..."}
	}
	return need{"folder", finding.OK, "databases and routers live in " + m.temporary, ""}
}

// onlyOfLab refuses flags that the doctor of the lab does not look at.
func onlyOfLab(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && f.Name != "target" && f.Name != "json" {
			err = usage("--%s is for an existing zone: give --target existing, or --target NAME for one of the "+
				"--config file", f.Name)
		}
	})
	return err
}

// doctorLab says whether the lab can run here. The exit status is 4 where it cannot.
func doctorLab(c *cobra.Command, m machine, asJSON bool) error {
	d := labDiagnosed{Target: labTarget, Needs: m.needs()}
	var err error
	if asJSON {
		err = printJSON(c, d)
	} else {
		err = d.print(c.OutOrStdout())
	}
	if err != nil {
		return cannotRun(err)
	}
	for _, n := range d.Needs {
		if n.State != finding.OK {
			return &exitError{code: exitCannotRun}
		}
	}
	return nil
}

func (d labDiagnosed) print(out io.Writer) error {
	lacking := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, n := range d.Needs {
		fmt.Fprintf(w, "%s\t%s\t%s\n", n.Name, n.State, n.Evidence)
		if n.Remedy != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", n.Remedy)
		}
		if n.State != finding.OK {
			lacking++
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing what was found: %w", err)
	}
	said := "the lab can run here"
	if lacking > 0 {
		said = fmt.Sprintf("the lab cannot run here: %d of %d needs are not met", lacking, len(d.Needs))
	}
	_, err := fmt.Fprintf(out, "\n%s\n", said)
	return err
}
