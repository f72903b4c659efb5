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
// neuron; (n, d) is d neurons; of 3 to 5 dimensions each datapoint, such as feature
// maps (n, a, b, c), is flattened in C order, whatever the order on disk, to a·b·c
// neurons. A file that holds neurons × datapoints is turned by T.
//
// Files are .npy of version 1, 2 or 3, one array; .npz and .safetensors, archives of
// several, of which Open takes one by "x.npz:fc1" and Members tells the names. What
// a file is, its contents say, not its name. Of a .npz members are read where they
// lie, or, where they are compressed, inflated to a temporary file as far as they
// are read: allow for its size where temporary files go. PyTorch's own files hold
// programs: an error gives the command that converts them.
//
// Elements are float16, bfloat16, float32 or float64 of either byte order, in C or
// Fortran order; all come out as float64, exactly. Elements of int8 come with a scale:
// q stands for (q − zero point)·scale, rounded to float64, both one number or one for
// each neuron. In an archive the two are the arrays fc1_scale and fc1_zero_point, or
// fc1.scale and fc1.zero_point, of fc1; beside layer3.npy the files layer3.scale.npy
// and layer3.zero_point.npy. Without a zero point it is 0. NaN and infinities come out
// as they are: judging values is left to whoever reads them.
//
// A file is never held in memory whole: a call of Read needs one buffer of fixed
// size, however large the file or the block. Fastest are blocks of whole rows
// of a file in C order. In Fortran order every column is read on its own, so
// there a block should be tall.
//
// Views show a part of a layer, or another shape of it, and are layers themselves:
// Take has elements of one axis, Tokens makes two dimensions of three. A Mask says
// what they leave out, IDs which rows of several layers belong together, NotFinite
// where values are no numbers, and Origin from where a view has a value.
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
// Writer writes a .npy of float64, WriteTexts one of texts, SafetensorsWriter a
// .safetensors.
package activation
