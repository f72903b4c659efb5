// Package sanitizer tells tests whether the build is instrumented, by the race
// detector or a sanitizer: every load and store then costs a call, plain loops
// take many times as long, and values move to the heap that otherwise would not.
package sanitizer
