package router

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCertificateFiles: the folder is what the newest push says, and nobody else reads a private key.
func TestCertificateFiles(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		r := &Router{dir: t.TempDir(), faults: Faults{KeepsCertificates: keeps}}
		folder := filepath.Join(r.dir, CertificateFolder)
		require.NoError(t, os.MkdirAll(folder, 0o755))
		in := func() map[string]string {
			files := map[string]string{}
			all, err := os.ReadDir(folder)
			require.NoError(t, err)
			for _, f := range all {
				info, err := f.Info()
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
				text, err := os.ReadFile(filepath.Join(folder, f.Name()))
				require.NoError(t, err)
				files[f.Name()] = string(text)
			}
			return files
		}
		a := CertificateEntry{Name: "a", Cert: "1", Key: "k"}
		b := CertificateEntry{Name: "b", Cert: "2", Key: "k", Chain: "c"}
		require.NoError(t, r.writeCertificates([]CertificateEntry{a, b}))
		assert.Equal(t, map[string]string{"a.pem": "1\nk\n", "b.pem": "2\nc\nk\n"}, in())
		a.Cert = "3"
		require.NoError(t, r.writeCertificates([]CertificateEntry{a}))
		want := map[string]string{"a.pem": "3\nk\n"}
		if keeps {
			want = map[string]string{"a.pem": "1\nk\n", "b.pem": "2\nc\nk\n"}
		}
		assert.Equal(t, want, in())
	}
}
