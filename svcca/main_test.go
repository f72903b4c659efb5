package svcca_test

import (
	"flag"
	"os"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"go.uber.org/goleak"
)

// uninstrumented skips a test of numbers, which are the same in instrumented code and
// take many times as long.
func uninstrumented(t *testing.T) {
	if sanitizer.On {
		t.Skip("of numbers, in an instrumented build")
	}
}

// TestMain fixes the seed of rapid, unless one is given, and looks for goroutines
// that outlive the tests.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	checks := "60"
	if testing.Short() {
		checks = "15"
	}
	for name, value := range map[string]string{"rapid.seed": "13", "rapid.checks": checks, "rapid.nofailfile": "true"} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	if f := flag.Lookup("test.fuzzworker"); f != nil && f.Value.String() == "true" {
		os.Exit(m.Run()) // a fuzz worker's own goroutines are still there at its end
	}
	goleak.VerifyTestMain(m)
}
