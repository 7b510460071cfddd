package network

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

// roleVariable makes the test binary play a child's part in a test of processes.
const roleVariable = "STACKPROOF_NETWORK_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(testhome.Around(m))
}
