package zone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/zone/database"
)

// obj is a JSON object.
type obj = map[string]any

// servers are the database servers of this test run, one for all releases with the same tables, started when first
// asked for. Tests that open zones on one do not run in parallel.
type servers struct {
	mu  sync.Mutex
	all map[string]*database.Server
}

var shared = servers{all: map[string]*database.Server{}}

func TestMain(m *testing.M) {
	code := testhome.Around(m).Run()
	for _, s := range shared.all {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// testDatabase is a running server with a release's tables; the test is skipped where no server program is installed.
func testDatabase(t testing.TB, release string) *database.Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for _, s := range shared.all {
		return s // a zone gives it the tables that it needs
	}
	s, err := database.Start(context.Background(), database.Options{Schema: release})
	var missing *database.MissingError
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err)
	shared.all[release] = s
	return s
}
