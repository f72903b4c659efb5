package bench

// The workloads in their full sizes. W1 is one pair of layers in memory, W2 a
// pane of W2Rows layers against as many others, W3 one pair of maps compared by their
// DFT, W4 one pair of files, larger than what a program would keep in memory, and W5
// the maps of W3 flattened: fewer datapoints than neurons.
const (
	W1Datapoints = 20000
	W1Neurons    = 512

	W2Datapoints = 10000
	W2Neurons    = 512
	W2Rows       = 16

	W3Images   = 1000
	W3Size     = 16 // positions along either axis
	W3Channels = 64

	W4Datapoints = 500000 // and of W7, one of its files
	W4Neurons    = 1024
)

// W6 is sparse layers: one of many features, and a pair of fewer, so that the whole of
// it can be decomposed.
const (
	W6Datapoints = 20000
	W6Neurons    = 16384
	W6Pair       = 2048 // neurons of either layer of the pair
	W6Density    = 0.004
	W6Leading    = 50 // directions
)

// W1Spectra are those that W1 is timed for; W2 is for all, W4 for W4Spectrum alone,
// as its time is in products of neurons, whatever k.
var W1Spectra = []Spectrum{Steep, Flat}

// W4Spectrum is Middle, as the last of 1024 singular values of Steep would drown in
// the rounding of float32: then the rank is in doubt, and moments do not serve.
const W4Spectrum = Middle

// PanelRows is the block of rows that products are timed with: svcca's own.
const PanelRows = 1024

// GrowthSizes are the maps that explicit translations are compared with the DFT on, by
// positions along an axis: of GrowthImages × size × size × GrowthChannels the data set
// of all translations has size² times the images, and size² × GrowthChannels neurons.
var GrowthSizes = []int{2, 4, 6, 8, 10, 12}

const (
	GrowthImages   = 100
	GrowthChannels = 8
)
