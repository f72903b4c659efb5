package nn

import (
	"math"

	"github.com/gosvcca/gosvcca/lapack"
)

// Optimiser changes parameters by their gradients, once each step. What it remembers of
// steps before is in Param.Memory.
type Optimiser[T lapack.Real] interface {
	Update(params []*Param[T])
}

// SGD is stochastic gradient descent with momentum: v ← Momentum·v + g, w ← w − Rate·v.
type SGD[T lapack.Real] struct {
	Rate, Momentum float64
	// Decay times w is added to the gradient of weights, but not of biases, scales, shifts.
	Decay float64
}

func (s *SGD[T]) Update(params []*Param[T]) {
	rate, momentum := T(s.Rate), T(s.Momentum)
	for _, p := range params {
		v, decay := p.remembered(1)[0], T(p.decay(s.Decay))
		spans(len(v), 1, func(from, to int) {
			w, g, v := p.Value.Data[from:to], p.Grad.Data[from:to], v[from:to]
			for i, g := range g {
				v[i] = momentum*v[i] + g + decay*w[i]
				w[i] -= rate * v[i]
			}
		})
	}
}

// Adam is that of Kingma and Ba 2015, Algorithm 1, with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
type Adam[T lapack.Real] struct {
	Rate float64
	// Decay is as SGD's.
	Decay float64
	// Steps is how many were taken, of which corrections for the start depend.
	Steps int
}

func (a *Adam[T]) Update(params []*Param[T]) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	a.Steps++
	// Rate·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).
	rate := T(a.Rate / (1 - math.Pow(beta1, float64(a.Steps))))
	unbiased := T(1 / (1 - math.Pow(beta2, float64(a.Steps))))
	for _, p := range params {
		memory, decay := p.remembered(2), T(p.decay(a.Decay))
		spans(len(memory[0]), 1, func(from, to int) {
			w, m, v := p.Value.Data[from:to], memory[0][from:to], memory[1][from:to]
			for i, g := range p.Grad.Data[from:to] {
				g += decay * w[i]
				m[i] += (1 - beta1) * (g - m[i])
				v[i] += (1 - beta2) * (g*g - v[i])
				w[i] -= rate * m[i] / (T(math.Sqrt(float64(v[i]*unbiased))) + epsilon)
			}
		})
	}
}

// remembered returns so many pieces of memory, of zeros at first.
func (p *Param[T]) remembered(pieces int) [][]T {
	for len(p.Memory) < pieces {
		p.Memory = append(p.Memory, make([]T, len(p.Value.Data)))
	}
	return p.Memory
}

// decay returns of what is for weights, which have two sizes or more.
func (p *Param[T]) decay(of float64) float64 {
	if len(p.Value.Shape) < 2 {
		return 0
	}
	return of
}
