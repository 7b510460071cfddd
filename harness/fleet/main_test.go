package fleet

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/router/scripts"
)

func TestMain(m *testing.M) {
	scripts.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}
