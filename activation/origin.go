package activation

// Origin returns where the value at datapoint row and neuron col of a view is in
// the layer that was opened: that layer, and the datapoint and the neuron in it.
// Views say where by a method
//
//	Origin(row, col int) (of Layer, datapoint, neuron int)
//
// which leads one step back; what has none, or returns nil, is its own origin. Of a
// mean over tokens it is the first token's value.
func Origin(l Layer, row, col int) (of Layer, datapoint, neuron int) {
	for {
		view, ok := l.(interface {
			Origin(row, col int) (of Layer, datapoint, neuron int)
		})
		if !ok {
			return l, row, col
		}
		behind, r, c := view.Origin(row, col)
		if behind == nil {
			return l, row, col
		}
		l, row, col = behind, r, c
	}
}

// Origin is where Take took a value.
func (t *taken) Origin(row, col int) (of Layer, datapoint, neuron int) {
	if t.axis == 0 {
		return t.Layer, t.places[row], col
	}
	return t.Layer, row, t.places[col]
}
