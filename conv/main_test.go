package conv_test

import (
	"flag"
	"os"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"go.uber.org/goleak"
)

// TestMain leaves BLAS one thread, as blocks are small and shared among goroutines, and looks for goroutines that outlive the tests.
func TestMain(m *testing.M) {
	flag.Parse()
	native.LimitThreads(1)
	if f := flag.Lookup("test.fuzzworker"); f != nil && f.Value.String() == "true" {
		os.Exit(m.Run()) // a fuzz worker's own goroutines are still there at its end
	}
	goleak.VerifyTestMain(m)
}
