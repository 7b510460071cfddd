package audit

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stopped audits a site whose middle record cannot be read, which leaves a checkpoint, and mends the record.
func (s *testSite) stopped(path string) {
	s.t.Helper()
	var middle int64
	var began string
	require.NoError(s.t, s.db.QueryRowContext(s.t.Context(),
		"SELECT id, CAST(start_date AS CHAR) FROM cloud_usage.cloud_usage WHERE id > "+
			"(SELECT AVG(id) FROM cloud_usage.cloud_usage) ORDER BY id LIMIT 1").
		Scan(&middle, &began))
	s.exec("SET SESSION sql_mode = ''")
	s.exec("UPDATE cloud_usage.cloud_usage SET start_date = '0000-00-00' WHERE id = ?", middle)
	r, err := s.try(resuming(path))
	require.Nil(s.t, r)
	require.ErrorContains(s.t, err, "the audit ended half-way and has no result")
	require.ErrorContains(s.t, err, "the same --resume "+path+" continues from there")
	s.exec("UPDATE cloud_usage.cloud_usage SET start_date = ? WHERE id = ?", began, middle)
}

func resuming(path string) func(*Options) {
	return func(o *Options) { o.Resume, o.Batch = path, 100 }
}

// said is what a result says of the site, without times of our own and U8, which tells the age of a job.
func (r *Result) said() Result {
	c := *r
	c.Started, c.Seconds, c.Site.Taken, c.Notes = r.Site.Taken, 0, r.Site.Taken, nil
	c.Checks = slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.ID == "U8" })
	for i := range c.Findings {
		c.Findings[i].money = nil
	}
	return c
}

func TestResume(t *testing.T) {
	s := damaged(t)
	s.db.SetMaxOpenConns(1) // of SET SESSION
	same := func(t *testing.T, have, want *Result) {
		t.Helper()
		a, b := have.said(), want.said()
		a.Site.Taken, a.Started, a.Jobs.AgeSeconds = b.Site.Taken, b.Started, b.Jobs.AgeSeconds
		require.Equal(t, b, a)
	}
	for name, tt := range map[string]struct {
		change, note string
	}{
		"nothing happened": {},
		"a row was opened again": {
			change: "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL WHERE deleted IS NOT NULL"},
		"old records were removed": {
			change: "DELETE FROM cloud_usage.cloud_usage ORDER BY id LIMIT 10",
			note:   "old records were removed since, so all are counted anew"},
		"an upgrade added a column": {
			change: "ALTER TABLE cloud_usage.cloud_usage DROP COLUMN state",
			note:   "the columns of records are others now, so all are counted anew"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			path := filepath.Join(t.TempDir(), "checkpoint")
			s.stopped(path)
			require.FileExists(t, path)
			if tt.change != "" {
				s.exec(tt.change)
			}
			have := s.audit(resuming(path))
			same(t, have, s.audit())
			require.NoFileExists(t, path)
			if tt.note != "" {
				require.Contains(t, strings.Join(have.Notes, "\n"), tt.note)
			}
		})
	}
}

// TestResumeReadsNoRecordTwice: what a checkpoint has counted is not read again.
func TestResumeReadsNoRecordTwice(t *testing.T) {
	s := damaged(t)
	s.db.SetMaxOpenConns(1)
	path := filepath.Join(t.TempDir(), "checkpoint")
	s.stopped(path)
	want := s.audit()
	s.exec("UPDATE cloud_usage.cloud_usage SET raw_usage = 999999 ORDER BY id LIMIT 100")
	have := s.audit(resuming(path))
	require.Equal(t, want.Check("U10"), have.Check("U10"))
	require.Equal(t, want.Money, have.Money)
	require.NotEqual(t, want.Check("U10").Count, s.audit().Check("U10").Count)
}

func TestResumeRefused(t *testing.T) {
	s := damaged(t)
	s.db.SetMaxOpenConns(1)
	path := filepath.Join(t.TempDir(), "checkpoint")
	s.stopped(path)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	s.exec("UPDATE cloud.account SET uuid = 'another' WHERE id = 2")
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"another site": {whole, "this is site"},
		"cut":          {whole[:len(whole)/2], "is no checkpoint of an audit, or is damaged"},
		"another file": {[]byte("targets:\n"), "is no checkpoint of an audit, or is damaged"},
		"empty":        {nil, "is no checkpoint of an audit, or is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			require.NoError(t, os.WriteFile(path, tt.data, 0o600))
			_, err := s.try(resuming(path))
			require.ErrorContains(t, err, tt.want)
			var input InputError
			require.True(t, errors.As(err, &input))
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, len(tt.data), len(left), "the file is left as it was")
		})
	}
	require.ErrorContains(t, CheckResume(filepath.Join(t.TempDir(), "no", "folder")), "--resume: ")
	require.NoError(t, CheckResume(path+".new"))
	require.NoFileExists(t, path+".new")
}
