package native_test

import (
	"fmt"
	"strings"

	"github.com/gosvcca/gosvcca/native"
)

// What the line says depends on the machine, what it is made of does not.
func ExampleDescribe() {
	info := native.Describe()
	line := info.String()
	fmt.Println(strings.Contains(line, info.BLAS), strings.Contains(line, info.LAPACK), info.Threads >= 1)
	// Output: true true true
}

// Limit BLAS before work begins that runs in goroutines of its own.
func ExampleLimitThreads() {
	before := native.Describe().Threads
	release := native.LimitThreads(1)
	fmt.Println(native.Describe().Threads <= before)
	release()
	release() // once is enough, twice does no harm
	fmt.Println(native.Describe().Threads == before)
	// Output:
	// true
	// true
}
