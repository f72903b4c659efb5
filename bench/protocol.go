package bench

// A worker of bench/peers is a process that keeps its data at hand. It warms up,
// prints one About as a line of JSON, and for each line "go" that it reads runs
// once and prints one Result. Its last arguments are a workload and its data:
//
//	w1 N D X.f32 Y.f32          a pair of layers: all ρ and directions
//	w2 N D ROWS LAYER.f32 …     a pane: Weighted of each of the first ROWS layers
//	                            with each of the others
//	w3 N H W C X.f32 Y.f32      a pair of maps, by their DFT: all ρ and directions
//	translated N H W C X.f32 Y.f32   the same by SVCCA of all translations, explicitly
//	w4 X.npy Y.npy              a pair of files: all ρ and directions
//	w5 N D X.f32 Y.f32          a pair of layers: ρ alone
//	w7 warm|cold X.npy          one file: singular values and directions
//	w6 STEP X.npz [Y.npz]       sparse layers: the centred Gram matrix of one (gram),
//	                            its leading directions (leading), or a pair (pair)
//	dsyrk N D TIME              the machine's rate: a panel of N × D float64
//	                            with itself, again and again for TIME
//
// A .f32 file holds N datapoints × D neurons, or N images × H × W × C, float32, row by
// row, little endian. It is read before anything is timed; a .npy file is read within
// the time.
const (
	W1    = "w1"
	W2    = "w2"
	W3    = "w3"
	W4    = "w4"
	W5    = "w5"
	W6    = "w6"
	W7    = "w7"
	DSYRK = "dsyrk"

	// Steps of w6.
	SparseGram    = "gram"
	SparseLeading = "leading"
	SparsePair    = "pair"

	Translated = "translated"
	Growth     = "growth" // of the last against w3
)

// About says what a worker computes with.
type About struct {
	About string `json:"about"`
}

// Result is one timed run.
type Result struct {
	Seconds float64 `json:"seconds"`

	// Of a pair: directions kept of x and of y. Of a pane: the least and the most
	// kept of the layers looked at.
	K    [2]int    `json:"k"`
	Mean float64   `json:"mean,omitempty"` // of Rho, which of a single layer are s/s_1
	Rho  []float64 `json:"rho,omitempty"`

	// Pairs of a pane that the run computed: all, or a sample.
	Pairs []Scored `json:"pairs,omitempty"`

	// Flops of a run of dsyrk: D²·N a panel.
	Flops float64 `json:"flops,omitempty"`

	// Notes are codes of this module's warnings, such as that of Mixed which fell
	// back to float64, and the method where it is not the fastest.
	Notes []string `json:"notes,omitempty"`
}

// Scored is one pair of a pane: row layer, column layer, and the score.
type Scored struct {
	Row      int     `json:"row"`
	Column   int     `json:"column"`
	Weighted float64 `json:"weighted"`
}
