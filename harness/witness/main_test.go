package witness_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}
