package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
)

// projectCurve is what is left of a network by how much of a layer is.
type projectCurve struct {
	// Kept is directions; random or activation for neurons as they are.
	Kept string `json:"kept"`
	// Onto is how many neurons are left after projecting; 0: all.
	Onto int `json:"onto,omitempty"`
	// Counts are of directions or neurons; Values are of the measure, of random neurons the
	// mean over draws, of which the least and the most are beside.
	Counts []int     `json:"counts"`
	Values []float64 `json:"values"`
	Least  []float64 `json:"least,omitempty"`
	Most   []float64 `json:"most,omitempty"`
	// Draws are, of random neurons, counts × draws.
	Draws [][]float64 `json:"draws,omitempty"`

	arms [][]*arm // by counts, by draws
}

// arm is one projection that is looked at.
type arm struct {
	*compress.Projection
	tally
}

// denseJSON is a fully connected layer.
type denseJSON struct {
	Name    string `json:"name"`
	Inputs  int    `json:"inputs"`
	Outputs int    `json:"outputs"`
}

// projectJSON is the contract.
type projectJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Measure is accuracy, rms_error, or lost where there are neither labels nor targets.
	Measure measureName `json:"measure"`
	making
	Layer      string      `json:"layer"`
	Datapoints int         `json:"datapoints"`
	Neurons    int         `json:"neurons"`
	Directions int         `json:"directions"` // that were saved
	Head       []denseJSON `json:"head"`
	// Whole is the measure with nothing erased.
	Whole     float64        `json:"whole"`
	Curves    []projectCurve `json:"curves"`
	Options   curveOptions   `json:"options"`
	Selection *selection     `json:"selection,omitempty"`
	Backend   native.Info    `json:"backend"`

	unit string // of datapoints
}

// curveOptions are the flags that decide what is looked at.
type curveOptions struct {
	Side      string `json:"side"`
	Seed      uint64 `json:"seed"`
	Draws     int    `json:"draws"`
	Transpose bool   `json:"transpose"`
	Conv      way    `json:"conv,omitempty"`
}

// judge tells what the layers behind make of projections.
func (p *projecting) judge(ctx context.Context, stdout io.Writer) error {
	layers, _, err := findDense(p.head, p.order)
	if err != nil {
		return err
	}
	outputs, err := p.targets(layers)
	if err != nil {
		return err
	}
	_, width := p.data.Dims()
	if err := loadDense(ctx, &p.describer, "head", layers, width, p.data.Name()); err != nil {
		return err
	}
	for _, note := range assumedDense(layers, p.order != nil) {
		p.notice(note)
	}
	last := layers[len(layers)-1]
	right, err := p.answerFlags.read(ctx, &p.describer, p.inputs[0].name, p.chosen.rows, last.Weights.Cols)
	if err != nil {
		return err
	}
	if err := p.load(ctx); err != nil {
		return err
	}
	j := &projectJSON{
		Schema: "svcca.project/1", Version: version(), Measure: right.measure, Layer: p.inputs[0].name, Neurons: width, Directions: p.saved.count,
		Curves: p.curves(), Options: curveOptions{p.side, p.seed, p.draws, p.transpose, p.way}, Selection: p.chosen.told(), Backend: native.Describe(), unit: p.mapFlags.unit(),
	}
	for _, l := range layers {
		j.Head = append(j.Head, denseJSON{l.name, l.Weights.Rows, l.Weights.Cols})
	}
	j.Datapoints, _ = p.data.Dims()
	p.bar = newProgress(p.stderr, p.quiet)
	err = p.look(ctx, j, layers, right.take(p.chosen.of))
	p.bar.clear()
	if err == nil {
		j.making, err = p.made(ctx)
	}
	if changed := p.data.Unchanged(); changed != nil {
		return changed // and what else is wrong is no wonder
	}
	if err != nil {
		return p.placed(ctx, err, p.chosen.layers, p.inputs)
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(ctx, j); err != nil {
			return err
		}
		p.notice(out.wrote())
	}
	if p.json {
		return writeJSON(stdout, j)
	}
	return writeProjected(stdout, localStyle(), screenColumns(stdout), j)
}

// curves are the projections to look at, by what is kept.
func (p *projecting) curves() (curves []projectCurve) {
	m, d := p.saved.count, p.saved.neurons
	counts := slices.Clone(p.k)
	if counts == nil {
		for k := 1; k < d; k *= 2 {
			counts = append(counts, k)
		}
		counts = append(counts, m, d)
	}
	slices.Sort(counts)
	counts = slices.Compact(counts)
	byDirections := slices.DeleteFunc(slices.Clone(counts), func(k int) bool { return k > m })
	add := func(c projectCurve, draws int, of func(count, draw int) *compress.Projection) {
		for _, count := range c.Counts {
			var arms []*arm
			for draw := range draws {
				arms = append(arms, &arm{Projection: of(count, draw)})
			}
			c.arms = append(c.arms, arms)
		}
		curves = append(curves, c)
	}
	add(projectCurve{Kept: "directions", Counts: byDirections}, 1, func(k, _ int) *compress.Projection {
		return &compress.Projection{Directions: p.directions, K: k}
	})
	for _, q := range p.onto {
		add(projectCurve{Kept: "directions", Onto: q, Counts: byDirections}, 1, func(k, _ int) *compress.Projection {
			return &compress.Projection{Directions: p.directions, K: k, Neurons: compress.Largest(compress.Importance(p.directions, k), q)}
		})
	}
	add(projectCurve{Kept: string(neuronsAtRandom), Counts: counts}, p.draws, func(q, draw int) *compress.Projection {
		return &compress.Projection{Mean: p.directions.Mean, Neurons: compress.Random(d, q, p.seed+uint64(draw))}
	})
	add(projectCurve{Kept: string(neuronsByActivation), Counts: counts}, 1, func(q, _ int) *compress.Projection {
		return &compress.Projection{Mean: p.directions.Mean, Neurons: compress.Largest(p.directions.Mean, q)}
	})
	return curves
}

// judgeBytes bounds the rows that are held at a time. Tests lower it.
var judgeBytes = 1 << 23

// look looks at all projections of a block of rows, then of the next, so that the data are
// read once.
func (p *projecting) look(ctx context.Context, j *projectJSON, layers []denseLayer, right *answers) error {
	var affine []compress.Affine
	widest := 0
	for _, l := range layers {
		affine = append(affine, l.Affine)
		widest = max(widest, l.Weights.Rows)
	}
	head, err := compress.NewMLP(p.data, affine...)
	if err != nil {
		return err
	}
	var arms []*arm
	for _, c := range j.Curves {
		for _, draws := range c.arms {
			arms = append(arms, draws...)
		}
	}
	var whole tally
	var spread spread
	var drawing sync.Mutex
	defer native.LimitThreads(1)() // faster: goroutines share the projections
	workers := crew.New(ctx)
	n := j.Datapoints
	rows := max(1, judgeBytes/(8*widest))
	for first := 0; first < n; first += rows {
		block := lapack.New[float64](min(rows, n-first), j.Neurons)
		if err := p.data.Read(block, first, 0); err != nil {
			return err
		}
		layer := svcca.FromSlice(p.data.Name(), block.Data, block.Rows, block.Cols)
		full, err := head.Outputs(layer)
		if err != nil {
			return later(err, first)
		}
		spread.add(full)
		right.add(&whole, full, full, first)
		done := 0
		err = workers.Run(len(arms), func(i, _ int) error {
			if err := p.judgeArm(arms[i], layer, head, right, full, first); err != nil {
				return err
			}
			drawing.Lock()
			defer drawing.Unlock()
			done++
			p.bar.draw((float64(first)+float64(block.Rows)*float64(done)/float64(len(arms)))/float64(n), func(time.Duration) string {
				return fmt.Sprintf("svcca: %d of %s, %d of %s", first, plural(n, j.unit), done, plural(len(arms), "projection"))
			})
			return nil
		})
		if err != nil {
			return err
		}
	}
	if j.Whole, err = right.value(whole, spread); err != nil {
		return err
	}
	for i := range j.Curves {
		c := &j.Curves[i]
		for _, draws := range c.arms {
			var values []float64
			above := 0.0 // the first: equal values have that mean
			for _, a := range draws {
				v, err := right.value(a.tally, spread)
				if err != nil {
					return err
				}
				values = append(values, v)
				above += v - values[0]
			}
			c.Values = append(c.Values, values[0]+above/float64(len(values)))
			if c.Kept == string(neuronsAtRandom) {
				c.Least, c.Most, c.Draws = append(c.Least, slices.Min(values)), append(c.Most, slices.Max(values)), append(c.Draws, values)
			}
		}
	}
	return nil
}

// judgeArm looks at a projection of a block of rows, the first of them at first.
func (p *projecting) judgeArm(a *arm, block svcca.Layer, head *compress.MLP, right *answers, full lapack.Matrix[float64], first int) error {
	done := 0
	return a.Apply(block, func(projected lapack.Matrix[float64]) error {
		if err := p.inRange(projected); err != nil {
			return err
		}
		outputs, err := head.Outputs(svcca.FromMat(p.data.Name(), lapack.ToDense(projected)))
		if err == nil {
			right.add(&a.tally, outputs, full.View(done, 0, outputs.Rows, full.Cols), first+done)
			done += outputs.Rows
		}
		return err
	})
}

// targets checks, before any work, that the outputs can be written.
func (p *projecting) targets(layers []denseLayer) ([]curveOutput, error) {
	inputs := append(append(p.selectFlags.files(p.inputs), p.inputs[0].paths...), p.directionsPath)
	return curveTargets(p.outputs, p.force, append(append(inputs, p.answerFlags.files()...), denseFiles(layers)...))
}
