//go:build !race && !asan && !msan

package lapack

const instrumented = false
