package container_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/router"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	if len(os.Args) > 2 && os.Args[1] == "hold" { // see TestKilled
		hold(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if path, err := standin(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		os.Exit(code)
	}),
		// The wait strategy of testcontainers-go keeps the idle connections of its HTTP client.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}
