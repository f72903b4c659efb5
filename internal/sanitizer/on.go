//go:build race || asan || msan

package sanitizer

// On: see the package's documentation.
const On = true
