package main

import (
	"fmt"
	"io"
	"math"

	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/figure"
	"gonum.org/v1/gonum/stat"
)

const (
	// saves is what share of the multiply-adds is saved at least.
	saves = 0.05
	// loses is how many points of accuracy are lost at most.
	loses = 1
)

// each returns a number of each run.
func (m *method) each(of func(*outcome) float64) (all []float64) {
	for _, run := range m.Runs {
		all = append(all, of(run))
	}
	return all
}

func accuracy(o *outcome) float64     { return 100 * o.Accuracy[len(o.Accuracy)-1] }
func multiplyAdds(o *outcome) float64 { return o.MultiplyAdds }
func seconds(o *outcome) float64      { return o.Seconds }
func updated(o *outcome) float64      { return float64(o.Updates) }

// saved returns what share of the baseline's a method does without.
func (n *network) saved(m *method, of func(*outcome) float64) float64 {
	return 1 - stat.Mean(m.each(of), nil)/stat.Mean(n.Methods[0].each(of), nil)
}

// gain returns by how many points of accuracy a method is better than the baseline, seed by
// seed, and the standard error of that.
func (n *network) gain(m *method) (mean, err float64) {
	var differences []float64
	for i, run := range m.Runs {
		differences = append(differences, accuracy(run)-accuracy(n.Methods[0].Runs[i]))
	}
	mean, deviation := stat.MeanStdDev(differences, nil)
	return mean, deviation / math.Sqrt(float64(len(differences)))
}

// claims puts what was measured beside the paper.
func (n *network) claims() (all claims.List) {
	for _, m := range n.Methods[1:] {
		share := n.saved(m, multiplyAdds)
		all = append(all, claims.Claim{
			Name:     n.Network + " " + m.Method + " saves",
			Paper:    "layers that converged are frozen, which saves their gradients and updates",
			Measured: fmt.Sprintf("%.0f%% of multiply-adds are saved; %.0f%% are asked for", 100*share, 100*saves),
			Holds:    share >= saves,
		})
		gain, deviation := n.gain(m)
		all = append(all, claims.Claim{
			Name:     n.Network + " " + m.Method + " accuracy",
			Paper:    "accuracy on the test set is no worse, and often better",
			Measured: fmt.Sprintf("%+.2f points against the baseline, with a standard error of %.2f; no worse than −%d is asked for", gain, deviation, loses),
			Holds:    gain >= -loses,
		})
	}
	return all
}

// table says what each method came to.
func (n *network) table(w io.Writer, images int) {
	fmt.Fprintf(w, "%s, %d seeds, right on %d test images; saved of the baseline\n", n.Network, len(n.Methods[0].Runs), images)
	fmt.Fprintf(w, "  %-12s%16s%9s%15s%9s\n", "", "accuracy", "updates", "multiply-adds", "seconds")
	for _, m := range n.Methods {
		mean, deviation := stat.MeanStdDev(m.each(accuracy), nil)
		fmt.Fprintf(w, "  %-12s%9.2f%% ± %.2f%8.0f%%%14.0f%%%8.0f%%\n", m.Method, mean, deviation,
			100*n.saved(m, updated), 100*n.saved(m, multiplyAdds), 100*n.saved(m, seconds))
	}
}

// curves are accuracy over the second half of training, where methods come to differ: the
// mean of all seeds within one standard deviation.
func (n *network) curves() results.Figure {
	f := figure.Curves{Title: n.Network + ": Freeze Training", XLabel: "step", YLabel: "test accuracy (%)"}
	for _, m := range n.Methods {
		series := figure.Series{Name: m.Method}
		for t, step := range n.Steps {
			if 2*t < len(n.Steps)-1 {
				continue
			}
			mean, deviation := stat.MeanStdDev(m.each(func(o *outcome) float64 { return 100 * o.Accuracy[t] }), nil)
			series.X, series.Y = append(series.X, float64(step)), append(series.Y, mean)
			series.Low, series.High = append(series.Low, mean-deviation), append(series.High, mean+deviation)
		}
		f.Series = append(f.Series, series)
	}
	return results.Figure{Name: n.Network + "-accuracy", Of: f}
}
