package spectrum

import "math"

// Steps returns what the method Steps of a layer tells, nil of one that has none.
func Steps(layer any) []float64 {
	if s, ok := layer.(interface{ Steps() []float64 }); ok {
		return s.Steps()
	}
	return nil
}

// StepsOf returns how far apart the values of a layer are that is stored in int8, one
// positive step for each of count values, from its method Steps; nil where it does not
// tell that.
func StepsOf(layer any, count int) []float64 {
	steps := Steps(layer)
	if len(steps) != count || !Positive(steps) {
		return nil
	}
	return steps
}

// Positive reports whether all values are finite and above zero.
func Positive(values []float64) bool {
	for _, v := range values {
		if !(v > 0) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
