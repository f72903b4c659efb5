package conv_test

import (
	"flag"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"go.uber.org/goleak"
)

// TestMain leaves BLAS one thread, as blocks are small and shared among goroutines, and looks for goroutines that outlive the tests.
func TestMain(m *testing.M) {
	flag.Parse()
	native.LimitThreads(1)
	goleak.VerifyTestMain(m)
}
