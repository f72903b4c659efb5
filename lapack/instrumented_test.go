//go:build race || asan || msan

package lapack

// instrumented: every load and store costs a call, and a value may be moved to
// the heap for it. Plain loops take many times as long.
const instrumented = true
