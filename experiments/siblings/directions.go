package siblings

import (
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/pflag"
)

// Directions are the settings of an experiment on directions that each network shares with
// the next.
type Directions struct {
	Settings
	// Keep is how many directions of a layer there are at all.
	Keep svcca.Keep `json:"keep"`
	// Record is how many images directions come from.
	Record int `json:"record"`
	// Shuffle takes datapoints of what layers are compared with in another order: the claims
	// must fall.
	Shuffle bool `json:"shuffle"`
	// Out is the new directory of figures and numbers.
	Out string `json:"-"`
}

// Register adds the flags of d, of so many networks where the flag says nothing.
func (d *Directions) Register(flags *pflag.FlagSet, networks int) {
	flags.StringVarP(&d.Out, "out", "o", "", "write to `DIR`, which is new")
	d.Settings.Register(flags, networks)
	flags.TextVar(&d.Keep, "keep", svcca.FullRank(), "keep directions by `RULE`, as svcca does")
	flags.IntVar(&d.Record, "record", 10000, "directions of `N` images that were learnt, at most")
	flags.BoolVar(&d.Shuffle, "shuffle", false, "shuffle rows of one side, to see claims fall (default: no)")
}

// Check sets what depends on the images, and returns an error where a flag makes no sense.
func (d *Directions) Check() error {
	switch {
	case d.Out == "":
		return program.Misusef("-o DIR is needed: where figures and numbers are written")
	case d.Record < 2:
		return program.Misusef("--record %d: 2 or more is expected", d.Record)
	}
	return d.Settings.Check()
}
