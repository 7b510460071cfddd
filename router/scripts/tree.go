package scripts

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
)

// entryPoint is what the management server has executed on the router for every push (VRScripts.java@4.20.0.0).
const entryPoint = "bin/update_config.py"

// tree is a systemvm tree on disk.
type tree struct {
	cloud         string // the directory opt/cloud
	defaultConfig string // etc/haproxy/haproxy.cfg of the tree; empty when it has none
	wantsNetaddr  bool
}

// findTree accepts the systemvm folder, the folder debian inside it, a directory tree with opt/cloud at its root, and a
// whole checkout.
func findTree(dir string) (tree, error) {
	const remedy = "give a directory that contains debian/opt/cloud, such as the folder systemvm of a CloudStack " +
		"checkout"
	if dir == "" {
		return tree{}, unsupported(remedy, "no systemvm tree was named")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return tree{}, unsupported(remedy, "the systemvm tree has no absolute path: %v", err)
	}
	if info, err := os.Stat(dir); err != nil {
		return tree{}, unsupported(remedy, "the systemvm tree cannot be read: %v", err)
	} else if !info.IsDir() {
		return tree{}, unsupported(remedy, "%s is not a directory", dir)
	}
	for _, base := range []string{"debian", "", "systemvm/debian"} {
		t := tree{cloud: filepath.Join(dir, base, "opt/cloud")}
		if _, err := os.Stat(filepath.Join(t.cloud, entryPoint)); err != nil {
			continue
		}
		if config := filepath.Join(dir, base, "etc/haproxy/haproxy.cfg"); readable(config) {
			t.defaultConfig = config
		}
		t.wantsNetaddr = t.mentions("netaddr")
		return t, nil
	}
	return tree{}, unsupported(remedy, "%s is not a systemvm tree: no debian/opt/cloud/%s in it", dir, entryPoint)
}

func readable(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// sources are the python files that every push runs through.
func (t tree) sources() []string {
	var files []string
	for _, pattern := range []string{entryPoint, "bin/merge.py", "bin/configure.py", "bin/cs/*.py", "bin/cs_*.py"} {
		found, _ := filepath.Glob(filepath.Join(t.cloud, pattern)) // the pattern is well-formed
		files = append(files, found...)
	}
	return files
}

func (t tree) mentions(module string) bool {
	for _, file := range t.sources() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, form := range []string{"import " + module, "from " + module} {
			if bytes.Contains(text, []byte(form)) {
				return true
			}
		}
	}
	return false
}

// copyTree copies the directory src to dst, links as links. The scripts may edit their own templates. A first line that
// names python is rewritten to the interpreter: the aggregated form executes update_config.py by its path, and a
// machine need not have a /usr/bin/python.
func copyTree(dst string, src fs.FS, interpreter string) error {
	return fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dst, name)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(src, name)
			if err != nil {
				return err
			}
			return os.Symlink(target, to) //nolint:gosec // a folder of our own
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := fs.ReadFile(src, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, withInterpreter(text, interpreter), info.Mode().Perm())
	})
}

func withInterpreter(text []byte, interpreter string) []byte {
	line, rest, found := bytes.Cut(text, []byte("\n"))
	if !found || !bytes.HasPrefix(line, []byte("#!")) || !bytes.Contains(line, []byte("python")) {
		return text
	}
	return append([]byte("#!"+interpreter+"\n"), rest...)
}
