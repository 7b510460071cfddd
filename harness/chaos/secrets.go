package chaos

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
)

// artefacts are the files that a run writes besides its result, by flag.
func artefacts() map[string]string {
	return map[string]string{"trace": "calls.jsonl", "events": "events.jsonl", "html": "run.html", "csv": "run.csv",
		"ctrf": "ctrf.json", "openmetrics": "metrics.txt", "bundle": "bundle.tar.gz"}
}

// secrets are what no run may write or say, with a word for each.
func (s *Site) secrets() map[string]string {
	all := map[string]string{"the API key": s.zone.APIKey(), "the secret key": s.zone.SecretKey()}
	if c, err := mysql.ParseDSN(s.server.ReadOnlyDSN()); err == nil {
		all["the database's password"] = c.Passwd
	}
	return all
}

// shows says which of the secrets are in what the run said, or in any file of its folder.
func (c *child) shows(secrets map[string]string) (all []string, err error) {
	look := func(where string, text []byte) {
		for what, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				all = append(all, what+" is in "+where)
			}
		}
	}
	look("what it said", []byte(c.said.String()))
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // a socket, or gone meanwhile
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // a folder of our own, which nobody changes
		if err != nil {
			return err
		}
		look(filepath.Base(path), data)
		if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			plain, _ := io.ReadAll(packed) // as far as it can be read
			look(filepath.Base(path), plain)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for secrets: %w", err)
	}
	return all, nil
}
