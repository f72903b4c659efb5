package fftw

// backend is one implementation for one precision. Its functions take checked
// layouts with at least one transform; what they return takes slices of exactly
// the layout's extents and keeps none.
type backend[R Real, C Complex] struct {
	name    string
	forward func(layout) (work[C, R], error)
	inverse func(layout) (work[R, C], error)
}

const errPrecision = "fftw: float32 goes with complex64, float64 with complex128"

// Two backends for each precision, the one in use, then the portable one; they
// are one and the same where FFTW is not linked.
var (
	singleBackends = [2]*backend[float32, complex64]{chosenSingle(), portable[float32, complex64]()}
	doubleBackends = [2]*backend[float64, complex128]{chosenDouble(), portable[float64, complex128]()}
)

func backendsOf[R Real, C Complex]() (b [2]*backend[R, C]) {
	switch p := any(&b).(type) {
	case *[2]*backend[float32, complex64]:
		*p = singleBackends
	case *[2]*backend[float64, complex128]:
		*p = doubleBackends
	default:
		panic(errPrecision)
	}
	return b
}
