package container_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	if len(os.Args) > 2 && os.Args[1] == "hold" { // see TestKilled
		hold(os.Args[2])
		return
	}
	// Logs that are kept for a person to read, by the tests and by the programs that they kill, are kept for nobody
	// here.
	temporary, err := os.MkdirTemp("", "stackproof-container-test-")
	if err == nil {
		err = os.Setenv("TMPDIR", temporary)
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(testhome.Around(m), goleak.Cleanup(func(code int) {
		if path, err := standin(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		_ = os.RemoveAll(temporary)
		os.Exit(code)
	}),
		// The wait strategy of testcontainers-go keeps the idle connections of its HTTP client.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}
