package watch

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }
