package lab_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/router"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(m)
}
