package svcca

// SmallKrylov makes the Krylov solver's block, space and the order from which it is
// automatic small, until restore is called.
func SmallKrylov(block, most, order int) (restore func()) {
	b, m, a := krylovBlock, krylovMost, automaticOrder
	krylovBlock, krylovMost, automaticOrder = block, most, order
	return func() { krylovBlock, krylovMost, automaticOrder = b, m, a }
}

// SparseShare sets the share of products up to which layers are summed without their
// zeros, until restore is called.
func SparseShare(share float64) (restore func()) {
	before := sparseShare
	sparseShare = share
	return func() { sparseShare = before }
}

// ReductionBytes returns what reducing a layer is foretold to take.
func ReductionBytes(l Layer, o Options) int64 {
	d, err := describe(l, "x")
	if err != nil {
		panic(err)
	}
	return d.reductionBytes(o)
}
