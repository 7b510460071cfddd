package usageprobe

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDSNForms(t *testing.T) {
	for in, want := range map[string]string{
		"ro:p@tcp(db:3307)/":        "db:3307",
		"mysql://ro:p@db:3307/":     "db:3307",
		"mysql://ro:p%40x@db/cloud": "db:3306",
	} {
		c, err := ParseDSN(in)
		require.NoError(t, err, in)
		require.Equal(t, want, c.Addr)
		require.Equal(t, "ro", c.User)
	}
	for _, wrong := range []string{"mysql://ro:s3cret@[db/", "ro:s3cret@db"} {
		_, err := ParseDSN(wrong)
		require.ErrorContains(t, err, "want user:password@tcp(host:3306)/")
		require.NotContains(t, err.Error(), "s3cret")
	}
}
