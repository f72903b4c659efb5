package conv

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Reduced is a layer of maps, or a vector, after the SV step, which pools all blocks.
// Neurons are all values of an image.
type Reduced struct {
	svcca.Side
	Options      Options        `json:"options"`
	Translations [2]int         `json:"translations"`
	Blocks       []ReducedBlock `json:"blocks"`
	// Method says how the directions were found, and ErrorBound how much error of ρ may
	// come from this layer.
	Method     svcca.Method    `json:"method"`
	ErrorBound float64         `json:"error_bound"`
	Warnings   []svcca.Warning `json:"warnings"`
	// OffBlock is as of a Result; nil of a layer that Moments reduced.
	OffBlock *OffBlock `json:"off_block"`

	shape   shape
	reduced *reduced
	// left holds, by block, the kept left singular vectors, images × K with orthonormal
	// columns. With weights its rows carry √w. It is nil where images are gone (Moments).
	left []lapack.Matrix[complex128]
}

// ReducedBlock is one frequency of a Reduced: see Block.
type ReducedBlock struct {
	U            int `json:"u"`
	V            int `json:"v"`
	Multiplicity int `json:"multiplicity"`
	// K of SingularValues are kept; in those of the layer, which are all sorted, each is
	// there Multiplicity times.
	K              int       `json:"k"`
	SingularValues []float64 `json:"singular_values"`
	// Vectors holds the kept right singular vectors, columns × K, and Mean the means of the
	// columns: (phase, channel), scaled by 1/√|T| (Directions).
	Vectors lapack.Matrix[complex128] `json:"-"`
	Mean    []complex128              `json:"-"`
}

// Memory returns how many bytes r holds, about.
func (r *Reduced) Memory() (bytes int64) {
	bytes = 8 * int64(len(r.SingularValues)+4*len(r.reduced.S)+len(r.reduced.shift))
	for _, b := range r.Blocks {
		bytes += 24*int64(len(b.SingularValues)) + 32*int64(len(b.Mean)) + 16*int64(b.Vectors.Rows*b.K)
		if len(r.reduced.active) < r.reduced.columns { // else Vectors are they
			bytes += 16 * int64(len(r.reduced.active)*b.K)
		}
		if r.left != nil {
			bytes += 16 * int64(r.Datapoints*b.K)
		}
	}
	return bytes
}

// result returns what a user sees of r.
func (r *reduced) result(sh shape, o Options) *Reduced {
	out := &Reduced{
		Side: r.side(), Options: o, Translations: [2]int{sh.height, sh.width},
		Method: r.method, ErrorBound: r.Bound, Warnings: r.warnings([]svcca.Warning{}), shape: sh, reduced: r,
	}
	for at, b := range sh.blocks {
		p := &r.parts[at]
		if p.v.Cols > p.k { // of triangles all were found
			p.v = p.v.View(0, 0, p.v.Rows, p.k).Clone()
		}
		block := ReducedBlock{U: b.U, V: b.V, Multiplicity: b.Multiplicity, K: p.k, SingularValues: make([]float64, len(p.s)), Vectors: r.vectors(at), Mean: r.means(at)}
		for i, s := range p.s {
			block.SingularValues[i] = math.Ldexp(s, r.exponent)
		}
		out.Blocks = append(out.Blocks, block)
	}
	return out
}

// reduced is a layer after the SV step, which pools the singular values of all blocks
// (DEFINITIONS §5). Values are in units of 2^exponent.
type reduced struct {
	summed
	n      int
	total  float64 // Σ w
	blocks []Block
	noise  spectrum.Noise
	rms    []float64 // a_j of each column: root-mean-square as stored, or the step
	active []int     // columns that vary above their rounding
	spectrum.Spectrum
	spectrum.Cut
	method svcca.Method
	parts  []part // by block
	mean   [][]complex128
	// most is, by block, how many singular values there can be: the others are 0, of
	// columns that do not vary or of fewer dimensions than images.
	most []int
	// stray is Σ w·‖mean‖² over all blocks where one is not centred; leak what rounding in
	// transforms leaves in any block.
	stray, leak float64
}

// part is a block of a reduced layer: k of its singular values are kept.
type part struct {
	s     []float64 // all, decreasing
	along []float64
	k     int
	// v holds right singular vectors, active columns × k; or u left ones, images × k,
	// where there are fewer images than columns.
	v, u lapack.Matrix[complex128]
	// eigen has those that were found from products, until it is known how many are kept.
	eigen *lapack.LeadingEigen[complex128]
}

// survey sets what is known of columns once all images are read: power and size are, by
// column, Σ|z|² over images and blocks, centred and as stored.
func (r *reduced) survey(power, size []float64, o Options) {
	for j, s := range r.dropped {
		size[j] += s
	}
	unit, _ := r.storage.Noise()
	positions := float64(r.lengthH * r.lengthW)
	r.rms, r.active = make([]float64, len(power)), nil
	for j := range power {
		r.rms[j] = math.Sqrt(size[j] / (r.total * positions))
		grain := r.grain(j, r.rms[j])
		if math.Sqrt(power[j]) > unit*grain*math.Sqrt(r.total*positions) {
			r.active = append(r.active, j)
		}
		if !byType(o.RankTol) {
			r.rms[j] = grain
		}
	}
	r.setNoise(o)
}

// grain returns what rounding of a column is in units of: the root-mean-square of its
// values as stored or, of values in steps, the step.
func (l *summed) grain(column int, rms float64) float64 {
	if l.steps == nil {
		return rms
	}
	return math.Ldexp(l.steps[column%len(l.steps)], -l.exponent)
}

// byType reports whether noise is that of another type than the one stored in.
func byType(tol svcca.RankTol) bool {
	name, _ := tol.Rule()
	_, known := svcca.ValueType(name).Noise()
	return known
}

// setNoise sets what rounding of the stored values amounts to.
func (r *reduced) setNoise(o Options) {
	unit, _ := r.storage.Noise()
	name, value := o.RankTol.Rule()
	r.noise = spectrum.Noise{Rows: r.n, Columns: r.columns, Unit: unit, Weight: r.total / float64(r.n)}
	switch name {
	case "machine":
		r.noise.Tolerance = spectrum.Machine
	case "share":
		r.noise.Tolerance, r.noise.Value = spectrum.Share, value
	case "storage":
	default:
		r.noise.Unit, _ = svcca.ValueType(name).Noise()
	}
	r.most = make([]int, len(r.blocks))
	for at, b := range r.blocks {
		if o.Centering != svcca.CenterNeurons {
			for _, v := range r.mean[at] {
				r.stray += float64(b.Multiplicity) * r.total * squared(v)
			}
		}
		if r.in(at) > 0 {
			r.most[at] = min(o.space(r.n, at), len(r.active))
			r.noise.Varying += b.Multiplicity * r.most[at]
		}
	}
}

// pool sets the spectrum of all blocks, each value as often as its block counts, and
// where each came from.
func (r *reduced) pool() {
	type value struct {
		s, along        float64
		block, i, count int
	}
	var values []value
	for at, p := range r.parts {
		for i, s := range p.s {
			values = append(values, value{s, p.along[i], at, i, r.blocks[at].Multiplicity})
		}
	}
	slices.SortFunc(values, func(a, b value) int {
		return cmp.Or(cmp.Compare(b.s, a.s), cmp.Compare(a.block, b.block), cmp.Compare(a.i, b.i))
	})
	r.setLeak()
	each := make([]float64, len(r.parts))
	for at, p := range r.parts {
		if len(p.s) > 0 {
			each[at] = r.lossOf(at).Each
		}
	}
	r.S, r.Along, r.Origin, r.Each = r.S[:0], r.Along[:0], r.Origin[:0], r.Each[:0]
	for origin, v := range values {
		for range v.count {
			r.S, r.Along, r.Origin, r.Each = append(r.S, v.s), append(r.Along, v.along), append(r.Origin, origin), append(r.Each, each[v.block])
		}
	}
}

// cut pools and cuts, and sets k of each block.
func (r *reduced) cut(o Options) {
	r.pool()
	r.Cut = r.Spectrum.Cut(keepOf(o.Keep), r.noise)
	for at := range r.parts {
		p := &r.parts[at]
		p.k = 0
		for p.k < len(p.s) && r.K > 0 && p.s[p.k] >= r.S[r.K-1] {
			p.k++
		}
	}
	r.Bound = r.bound()
}

// boundAlong sets along where no singular vector is needed for it, and returns how many
// vectors of a block are, beginning with the first.
func (r *reduced) boundAlong() (needed []int) {
	least, most := math.Inf(1), 0.0
	for _, j := range r.active {
		least, most = min(least, r.rms[j]), max(most, r.rms[j])
	}
	s1 := r.largest()
	needed = make([]int, len(r.parts))
	for at := range r.parts {
		p := &r.parts[at]
		p.along = make([]float64, len(p.s))
		for i, s := range p.s {
			along, decided := r.noise.Bounds(s1, s, least, most)
			if p.along[i] = along; !decided {
				needed[at] = i + 1
			}
		}
	}
	return needed
}

// keepOf returns the rule in the words of package spectrum.
func keepOf(k svcca.Keep) spectrum.Keep {
	name, value := k.Rule()
	z := spectrum.Keep{Share: value, Count: int(value)}
	switch name {
	case "sum":
		z.Rule = spectrum.Sum
	case "count":
		z.Rule = spectrum.Count
	case "rank":
		z.Rule = spectrum.Rank
	}
	return z
}

// certain reports whether nothing hangs on what squaring lost, and the error is at
// most accuracy.
func (r *reduced) certain(accuracy float64) bool {
	return r.RankSure && r.KSure && r.Bound <= accuracy
}

// usable returns an error where nothing of the layer can be compared.
func (r *reduced) usable() error {
	if r.K == 0 {
		return fmt.Errorf("conv: layer %q: %d of %d columns are constant and no direction is kept: %w", r.name, r.columns-len(r.active), r.columns, svcca.ErrConstant)
	}
	largest, least := math.Ldexp(r.S[0], r.exponent), math.Ldexp(r.S[r.K-1], r.exponent)
	// Loadings add up to √columns times the largest, and maps hold 1 over it, a normal number.
	if largest > 0x1p1020/math.Sqrt(float64(r.columns)) || least < 0x1p-1000 || least < 0x1p-200*largest {
		return fmt.Errorf("conv: layer %q: singular values from %g to %g: %w", r.name, largest, least, svcca.ErrRange)
	}
	for _, mean := range r.mean { // that of (0, 0) is √|T| times the values
		for _, v := range mean {
			if m := math.Ldexp(max(math.Abs(real(v)), math.Abs(imag(v))), r.exponent); math.IsInf(m, 0) {
				return fmt.Errorf("conv: layer %q: a mean above %g: %w", r.name, math.MaxFloat64, svcca.ErrRange)
			}
		}
	}
	return nil
}

// vectors returns the kept right singular vectors of a block in all its columns, those
// that do not vary being 0. They are not to be changed.
func (r *reduced) vectors(at int) lapack.Matrix[complex128] {
	p := r.parts[at]
	if len(r.active) == r.columns && p.k > 0 {
		return p.v.View(0, 0, r.columns, p.k)
	}
	v := lapack.New[complex128](r.in(at), p.k)
	for i, j := range r.active {
		if p.k > 0 {
			copy(v.Row(j), p.v.Row(i)[:p.k])
		}
	}
	return v
}

// rmsAlong returns ‖diag(a) v‖ of column i of v.
func (r *reduced) rmsAlong(v lapack.Matrix[complex128], i int) (squares float64) {
	for row, j := range r.active {
		squares += squared(v.At(row, i)) * r.rms[j] * r.rms[j]
	}
	return math.Sqrt(squares)
}
