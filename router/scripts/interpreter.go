package scripts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// interpreter is a python that was asked about itself.
type interpreter struct {
	Executable string   `json:"executable"`
	Version    string   `json:"version"`
	Paths      []string `json:"paths"`   // directories that it needs to run
	Netaddr    string   `json:"netaddr"` // version, empty when it cannot be imported
	Syntax     string   `json:"syntax"`  // why it cannot parse the tree, empty when it can

	pythonPath string // the given folder with netaddr, where the interpreter needs it
}

// question runs on python 2.7 and 3. It parses the tree's files and executes nothing of them.
const question = `
import json, os, sys
try:
    import netaddr
    found = str(getattr(netaddr, "__version__", "unknown"))
except ImportError:
    found = ""
syntax = ""
for name in sys.argv[1:]:
    with open(name, "rb") as f:
        text = f.read()
    try:
        compile(text, name, "exec")
    except (SyntaxError, ValueError) as e:
        syntax = "%s line %s: %s" % (os.path.basename(name), getattr(e, "lineno", "?"), getattr(e, "msg", e))
        break
paths = [os.path.dirname(os.path.realpath(sys.executable)), sys.prefix, sys.exec_prefix]
paths.append(getattr(sys, "base_prefix", sys.prefix))
paths += [p for p in sys.path if os.path.isdir(p)]
print(json.dumps({"executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
                  "paths": sorted(set(paths)), "netaddr": found, "syntax": syntax}))
`

const questionTimeout = 20 * time.Second

// ask runs one candidate. The error says in one line why it is none.
func ask(ctx context.Context, name, pythonPath string, sources []string) (interpreter, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return interpreter{}, fmt.Errorf("%s: not found", name)
	}
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-c", question}, sources...)...)
	// The environment is kept, since version managers put a wrapper on PATH that needs it; what steers python itself is
	// not. This runs on the host, where importing netaddr must not leave its compiled form.
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "PYTHON") }),
		append(pythonEnvironment(pythonPath), "PYTHONDONTWRITEBYTECODE=1")...)
	cmd.Dir = "/"
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return interpreter{}, fmt.Errorf("%s: %w: %s", name, err, lastLine(stderr.String()))
	}
	var p interpreter
	if err := json.Unmarshal(stdout.Bytes(), &p); err != nil {
		return interpreter{}, fmt.Errorf("%s is not a python: it answered %q", name, firstLine(stdout.String()))
	}
	if p.Executable == "" {
		return interpreter{}, fmt.Errorf("%s does not know its own path", name)
	}
	return p, nil
}

func pythonEnvironment(pythonPath string) []string {
	env := []string{"PYTHONNOUSERSITE=1", "PYTHONUNBUFFERED=1"}
	if pythonPath != "" {
		env = append(env, "PYTHONPATH="+pythonPath)
	}
	return env
}

// lastLine is where python says what is wrong.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// askWith uses the given folder only where the interpreter finds no netaddr of its own: of two interpreters that are
// tried, the folder may be for the other one, and what lies in it disturb this one.
func askWith(ctx context.Context, t tree, name, pythonPath string) (interpreter, error) {
	p, err := ask(ctx, name, "", t.sources())
	if err != nil || pythonPath == "" || p.Netaddr != "" || !t.wantsNetaddr {
		return p, err
	}
	p, err = ask(ctx, name, pythonPath, t.sources())
	p.pythonPath = pythonPath
	return p, err
}

// substitute is the advice for a tree that only python 2 parses: CsFile.py@4.20.0.0 differs from 4.19.1.0's in what it
// does by #9822 alone.
const substitute = "name a python2.7 that has netaddr 0.8.0, or use a copy of the 4.20.0.0 tree with #9822 undone " +
	"(the last comparison of bin/cs/CsFile.py made of set(self.config) and set(o.config)), which behaves as " +
	"4.19.1.0 does"

// findInterpreter gives the first candidate that can run the tree, or an *Unsupported with the reason of the best one.
func findInterpreter(ctx context.Context, t tree, given, pythonPath string) (interpreter, error) {
	candidates := []string{"python3", "/usr/bin/python3", "python2.7", "python2"}
	if given != "" {
		candidates = filepath.SplitList(given)
	}
	var missing, unparsed, unusable []string
	for _, name := range candidates {
		p, err := askWith(ctx, t, name, pythonPath)
		switch {
		case ctx.Err() != nil:
			return interpreter{}, fmt.Errorf("looking for an interpreter: %w", context.Cause(ctx))
		case err != nil:
			unusable = append(unusable, err.Error())
		case p.Syntax != "":
			unparsed = append(unparsed, fmt.Sprintf("%s (python %s) cannot parse %s", name, p.Version, p.Syntax))
		case t.wantsNetaddr && p.Netaddr == "":
			missing = append(missing, fmt.Sprintf("%s (python %s) has no module netaddr", name, p.Version))
		default:
			return p, nil
		}
	}
	switch {
	case len(missing) > 0:
		return interpreter{}, unsupported("install it (apt-get install python3-netaddr), or name the python of a "+
			"virtual environment "+
			"that has it, or the directory that holds it", "%s", missing[0])
	case len(unparsed) > 0:
		return interpreter{}, unsupported(substitute, "no interpreter for this tree: %s", unparsed[0])
	default:
		return interpreter{}, unsupported("install python3 (apt-get install python3), or name an interpreter",
			"no python was found: %s", strings.Join(unusable, ", "))
	}
}

// mounts are the interpreter's directories outside /usr, none inside another. /usr is in every sandbox.
func (p interpreter) mounts(more ...string) []string {
	var dirs []string
	for _, dir := range append(slices.Clone(p.Paths), more...) {
		if dir == "" || dir == "/" || within(dir, "/usr") || within(dir, "/lib") || within(dir, "/bin") {
			continue
		}
		dirs = append(dirs, filepath.Clean(dir))
	}
	slices.Sort(dirs)
	var outer []string
	for _, dir := range dirs {
		if !slices.ContainsFunc(outer, func(o string) bool { return within(dir, o) }) {
			outer = append(outer, dir)
		}
	}
	return outer
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// findHAProxy gives the path and the version of the program.
func findHAProxy(ctx context.Context, given string) (path, version string, err error) {
	const remedy = "install it (apt-get install haproxy), or name its path"
	candidates := []string{"haproxy", "/usr/sbin/haproxy", "/usr/local/sbin/haproxy"}
	if given != "" {
		candidates = []string{given}
	}
	for _, name := range candidates {
		if path, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if err != nil {
		return "", "", unsupported(remedy, "haproxy was not found: %v", errors.Unwrap(err))
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", fmt.Errorf("finding haproxy: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-v").Output()
	first := firstLine(string(out))
	if err != nil || !strings.Contains(first, "version") {
		return "", "", unsupported(remedy, "%s is not HAProxy: asked for its version it answered %q (%v)", path, first,
			err)
	}
	_, version, _ = strings.Cut(first, "version ")
	version, _, _ = strings.Cut(version, " ")
	return path, version, nil
}
