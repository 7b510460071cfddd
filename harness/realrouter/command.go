package realrouter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Place is where a router is.
type Place struct {
	Name      string // r-3-VM
	Host      string // name of the hypervisor host
	LinkLocal string // address by which its host reaches it
	PublicIP  string
}

// Template is the command that leads into a router, in words separated by blanks, without quoting: {linklocal}, {host},
// {name} and {publicip} stand for the router's, {command} for the shell that reads the script; without {command} it is
// added at the end.
type Template struct{ words []string }

// shell is what the command must start inside the router.
const shell = "sh"

// ParseTemplate checks a template.
func ParseTemplate(text string) (Template, error) {
	t := Template{words: strings.Fields(text)}
	if len(t.words) == 0 {
		return t, errors.New("router command: it is empty; want for instance: ssh {host} ssh -p 3922 -i " +
			".ssh/id_rsa.cloud root@{linklocal} {command}")
	}
	known := t.filled(Place{"n", "h", "l", "p"})
	for _, w := range known {
		if strings.ContainsAny(w, "{}") {
			return t, fmt.Errorf("router command: %q is not known; there are {linklocal}, {host}, {name}, "+
				"{publicip} and {command}", w)
		}
	}
	if !strings.Contains(text, "{command}") && !strings.Contains(text, "{{.Command}}") {
		t.words = append(t.words, "{command}")
	}
	return t, nil
}

// filled puts a router's place in. Both {name} and {{.Name}} are understood.
func (t Template) filled(p Place) []string {
	r := strings.NewReplacer("{{.LinkLocal}}", p.LinkLocal, "{{.Host}}", p.Host, "{{.Name}}", p.Name, "{{.PublicIP}}",
		p.PublicIP, "{{.Command}}", shell,
		"{linklocal}", p.LinkLocal, "{host}", p.Host, "{name}", p.Name, "{publicip}", p.PublicIP, "{command}", shell)
	words := make([]string, len(t.words))
	for i, w := range t.words {
		words[i] = r.Replace(w)
	}
	return words
}

// commandTime bounds one command: two logins through ssh take a second or two each.
const commandTime = time.Minute

// run feeds a script to the shell inside the router and gives what it prints.
func (t Template) run(ctx context.Context, p Place, script string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	words := t.filled(p)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) // the target's owner wrote the command
	cmd.Stdin = strings.NewReader(script)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	// ssh starts helpers of its own: they end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("router %s: %s: %w: %s", p.Name, strings.Join(words, " "), err, lastLine(errs.String()))
	}
	return out.Bytes(), nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
