// Package svcca tells how alike two layers of neural networks are: Singular
// Vector Canonical Correlation Analysis, after Raghu, Gilmer, Yosinski and
// Sohl-Dickstein (2017).
//
// A layer is a matrix of activations: a row per datapoint, a column per neuron.
// Two layers of the same datapoints may have different widths, come from
// different networks, and are compared up to rotations of their neurons:
//
//	x, err := activation.Open("a/layer3.npy")
//	y, err := activation.Open("b/layer3.npy")
//	c, err := svcca.Between(x, y, svcca.Options{})
//	fmt.Println(c.Mean, c.Chance, c.Rho, c.ErrorBound)
//
// Reduce does the work of one layer once, and Compare any number of comparisons
// with it. Pairwise compares many layers with many: every layer of a network at
// every step of its training with those at the end. FromSlice and FromMat take
// activations from memory, FromSparse those of which most are zero.
//
// Rows need not be there all at once: Pair and Moments are sums of blocks of rows,
// from batches while a network trains or from shards on different machines, that
// merge; Cross compares many layers that were reduced from sums.
//
// # The mathematics
//
// Xc is a layer with every neuron's mean subtracted, Xc = U S Vᵀ its singular
// value decomposition. Of the singular directions those are kept that together
// hold 99% of the variance, k_x of them (Options.Keep), none below the rounding
// noise of storage (Options.RankTol). Of two such bases, M = U_xᵀU_y = P diag(ρ) Qᵀ
// has the canonical correlations 1 ≥ ρ_1 ≥ … ≥ ρ_m ≥ 0 as singular values,
// m = min(k_x, k_y). X̃ = U_x P and Ỹ = U_y Q are the aligned directions, which
// Directions expresses as maps from neurons.
//
//	Mean        Σρ/m, the similarity of the paper
//	MeanSquare  Σρ²/m
//	Weighted    row and column norms of M, weighed by singular values
//	PWCCA       Σα_iρ_i/Σα_i, α_i how much of the neurons direction i carries
//	Chance      the mean square expected of layers that share nothing
//	Adjusted    (MeanSquare − Chance)/(1 − Chance)
//
// No score means anything beside a chance level near it: k_x·k_y/(N·m), with
// N = n − 1, nears 1 as the datapoints get few. The result warns.
//
// # What can be trusted
//
// Comparison.ErrorBound bounds the error of every ρ, of Mean and of MeanSquare,
// against exact arithmetic on the values as stored: for moments, which one pass
// over the rows yields, ε·s_1²/(s_k² − s_{k+1}²) of each layer. Where that is
// more than Options.Accuracy, or rank or k might be decided wrongly, a second
// pass takes the triangle of a QR factorisation: ε·s_1/(s_k − s_{k+1}). A layer
// with fewer datapoints than neurons is summed over neurons instead, n × n.
// Values are centred before they are squared, near a provisional mean, and
// divided by a power of two, so that neither offsets nor scales cost accuracy.
//
// Weighted and PWCCA scores lose more where singular values, or ρ, crowd: each
// has a bound of its own. Values within 1e-8 of each other count as tied, and
// the score is marked as one choice of many (WeightedUnique, PWCCAUnique).
//
// Options.Precision: Mixed multiplies in float32 and is up to twice as fast. What
// that loses is measured in every call, and is in the bounds.
//
// # Layers that are large both ways
//
// An eigen-solve is of order min(n, d). Above 16384 (10 GiB, and a quarter of an hour)
// or with Options.Solver: Krylov the leading directions alone are found, by randomized
// block Krylov in five to ten passes over the rows, and the result says that it is
// approximate: Method, a warning, and an ErrorBound that holds but for a chance of 1
// in 10^10. It comes from residuals, from the variance that was not found, and from
// random vectors that look for what was missed.
//
// # Memory and threads
//
// Layers are read in blocks of 8 MiB, from several goroutines, and are never copied
// whole; Layer.Read must allow that. A layer may be far larger than memory: Between
// needs (d + e)² values, Pairwise the reduced bases, d × k, and a window that is
// bounded (BetweenCost, PaneCost). Sparse layers are never made dense: to 128 bytes for
// each value that is not zero comes the smaller Gram matrix. Between reads layers of FromSlice and FromMat
// twice, others once, and again for the triangle.
//
// Importing this package changes nothing in a program: products use the BLAS's
// threads as they are set. It is faster with native.LimitThreads(1), called once at
// the start of a program: the work is then shared among GOMAXPROCS goroutines with
// one BLAS thread each, which read while others multiply. Pairwise limits threads
// itself while it runs. All functions may be called from many goroutines, for many
// small jobs best with that limit. No goroutine outlives a call.
//
// Row weights, centring and further rules are fields of Options. Feature maps of
// convolutional layers are not datapoints × neurons and are refused.
//
// Sources: Raghu et al., arXiv 1706.05806; Morcos, Raghu and Bengio, arXiv
// 1806.05759 (PWCCA). Section numbers of DEFINITIONS in comments refer to
// docs/definitions.md.
package svcca
