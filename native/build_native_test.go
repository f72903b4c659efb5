//go:build cgo && !purego

package native

const builtNative = true
