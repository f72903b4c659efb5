package bench

// A worker of bench/peers is a process that keeps its data in memory. It warms
// up, prints one About as a line of JSON, and for each line "go" that it reads
// runs once and prints one Result.

// About says what a worker computes with.
type About struct {
	About string `json:"about"`
}

// Result is one timed run: from float32 arrays in memory to all ρ and the
// directions as maps from neurons.
type Result struct {
	Seconds float64   `json:"seconds"`
	K       [2]int    `json:"k"` // directions kept of x and of y
	Mean    float64   `json:"mean"`
	Rho     []float64 `json:"rho"`
}
