package scripts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router/scripts/scriptstest"
)

// The two poms have the shape of those in a checkout.
const (
	rootPom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
<parent><groupId>org.apache</groupId><version>23</version></parent>
<groupId>org.apache.cloudstack</groupId><artifactId>cloudstack</artifactId>
<version>4.22.0.0-SNAPSHOT</version></project>`
	systemvmPom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><artifactId>cloud-systemvm</artifactId>
<parent><groupId>org.apache.cloudstack</groupId><artifactId>cloudstack</artifactId>
<version>4.19.1.0</version></parent></project>`
	otherPom = `<project><groupId>org.example</groupId><version>1.0</version></project>`
)

func TestReleaseOfATree(t *testing.T) {
	for _, c := range []struct {
		name, root, systemvm string
		release, label       string
	}{
		{"none", "", "", "", "checkout"},
		{"of the checkout", rootPom, "", "4.22.0.0-SNAPSHOT", "4.22.0.0-SNAPSHOT"},
		{"of the folder", "", systemvmPom, "4.19.1.0", "4.19.1.0"},
		{"the folder's wins", rootPom, systemvmPom, "4.19.1.0", "4.19.1.0"},
		{"something else's", otherPom, "<not xml", "", "checkout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkout := filepath.Join(t.TempDir(), "checkout")
			systemvm := filepath.Join(checkout, "systemvm")
			require.NoError(t, os.MkdirAll(systemvm, 0o755))
			scriptstest.Write(t, systemvm, scriptstest.List)
			for file, text := range map[string]string{filepath.Join(checkout, "pom.xml"): c.root,
				filepath.Join(systemvm, "pom.xml"): c.systemvm} {
				if text != "" {
					require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
				}
			}
			for _, dir := range []string{checkout, systemvm, filepath.Join(systemvm, "debian")} {
				assert.Equal(t, c.release, Release(dir), dir)
				assert.Equal(t, c.label, Name(dir), dir)
			}
		})
	}
	assert.Empty(t, Release(t.TempDir()), "no tree")
}
