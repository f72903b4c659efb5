// Package activation reads layers from disk in blocks of rows: the values that
// the neurons of a layer took on each datapoint, saved as .npy by numpy.save.
//
//	x, err := activation.Open("a/layer3.npy")
//	if err != nil {
//		return err
//	}
//	defer x.Close()
//	n, d := x.Dims() // datapoints, neurons
//	block := lapack.New[float64](min(n, 1024), d)
//	err = x.Read(block, 0, 0)
//
// Rows are datapoints and columns are neurons. An array of shape (n) is one
// neuron; (n, d) is d neurons; (n, a, b, c) is n feature maps, each flattened in
// C order to a·b·c neurons, whatever the order on disk. A file that holds
// neurons × datapoints is turned by T.
//
// Elements are float16, float32 or float64 of either byte order, in C or Fortran
// order, in .npy of version 1, 2 or 3. All come out as float64, exactly. NaN and
// infinities come out as they are: judging values is left to whoever reads them.
//
// A file is never held in memory whole: a call of Read needs one buffer of fixed
// size, however large the file or the block. Fastest are blocks of whole rows
// of a file in C order. In Fortran order every column is read on its own, so
// there a block should be tall.
//
// One layer may lie in several files, one after another: OpenShards. It may come
// through a pipe as arrays one after another: NewStream, whose rows can be read
// only once.
//
// A layer of which most is zero may come without its zeros, as scipy.sparse saves it:
// OpenSparse. WriteSparse writes such a file.
//
// A file may change while it is read. Unchanged looks whether it did, at no cost;
// Digest identifies the values, at that of reading them.
//
// Writer writes a .npy of float64.
package activation
