package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// MissingError says that no database server is installed, and what to install.
type MissingError struct {
	// What was looked for: a program or a file.
	What string
	// Package is the name of the package that has it, on Debian and its kin.
	Package string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("database: %s not found: install the package %s", e.What, e.Package)
}

// binary is a database server program and what it is.
type binary struct {
	path    string
	version string
	mariadb bool
}

// Find returns the path of the server program: wanted when it is not empty, else mariadbd or mysqld from PATH,
// /usr/sbin or /usr/libexec. It returns a *MissingError when there is none.
func Find(wanted string) (string, error) {
	names := []string{"mariadbd", "mysqld"}
	if wanted != "" {
		names = []string{wanted}
	}
	for _, name := range names {
		for _, candidate := range []string{name, filepath.Join("/usr/sbin", name),
			filepath.Join("/usr/libexec", name)} {
			if path, err := exec.LookPath(candidate); err == nil {
				return filepath.Abs(path)
			}
		}
	}
	return "", &MissingError{What: strings.Join(names, " or "), Package: "mariadb-server"}
}

func findBinary(ctx context.Context, wanted string) (binary, error) {
	path, err := Find(wanted)
	if err != nil {
		return binary{}, err
	}
	out, err := exec.CommandContext(ctx, path, "--no-defaults", "--version").Output()
	if err != nil {
		return binary{}, fmt.Errorf("database: asking %s for its version: %w", path, err)
	}
	version := strings.TrimSpace(string(out))
	return binary{path: path, version: version, mariadb: strings.Contains(version, "MariaDB")}, nil
}

// systemTables reads the scripts that make MariaDB's own tables. Their folder and prefix differ per distribution.
func systemTables() (string, error) {
	for _, folder := range []string{"/usr/share/mysql", "/usr/share/mariadb", "/usr/local/share/mysql"} {
		for _, prefix := range []string{"mariadb", "mysql"} {
			tables, err := os.ReadFile(filepath.Join(folder, prefix+"_system_tables.sql"))
			if err != nil {
				continue
			}
			data, err := os.ReadFile(filepath.Join(folder, prefix+"_system_tables_data.sql"))
			if err != nil {
				continue
			}
			return "USE mysql;\n" + string(tables) + string(data), nil
		}
	}
	return "", &MissingError{What: "mariadb_system_tables.sql", Package: "mariadb-server-core"}
}
