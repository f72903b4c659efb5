// Package conv tells how alike two convolutional layers are: SVCCA of feature maps, images
// × height × width × channels, after Raghu, Gilmer, Yosinski and Sohl-Dickstein (2017).
//
// Between compares two layers as if every image had been shown in every position, without
// showing it: exact SVCCA of the data set of all cyclic translations, in the time of many
// small problems.
//
//	x, err := conv.Of(fileX, conv.NHWC) // images × height × width × channels; NCHW as PyTorch has it
//	y, err := conv.Of(fileY, conv.NHWC)
//	r, err := conv.Between(ctx, x, y, conv.Options{})
//	fmt.Println(r.Mean, r.Chance, r.Rho, r.ErrorBound)
//
// The Result has all that a dense svcca.Comparison has, with the same meaning, and beside
// it the blocks, how far the maps are from what translations suppose (OffBlock), and the
// aligned directions of every frequency, also as spatial filters (Directions.Filter).
// FromSlice takes maps from memory; Of views any layer with four dimensions, such as a
// file of package activation; Vector sets class logits, or any layer without positions,
// against maps. Covariance shows the covariance that all of this is about.
//
// Where a layer is compared with several, Reduce takes the SV step once for each group of
// translations, and Compare the CCA step, which reads no image. The group depends on both
// sizes (Options.Translations), so that a layer of 16 × 16 has one reduction for layers
// of 16 × 16 and another for those of 8 × 8. Prepared keeps account of that, and of memory:
//
//	p, q := conv.Prepare(x, o), conv.Prepare(y, o)
//	conv.Hold(4<<30, p, q) // bytes, together
//	r, err := p.Compare(ctx, q) // reduced now, if they were not before
//
// # Four ways
//
// Two views of the same maps serve package svcca as they are:
//
//	Maps.Pixels   every position of every image is a datapoint, channels are neurons.
//	              Needs equal sizes and things in equal places; cheap; many datapoints, but
//	              neighbours are alike, so that chance is higher than Chance says.
//	Maps.Flatten  every position of every channel is a neuron. Supposes nothing, and needs
//	              many more images than positions × channels.
//	Between       under all translations: a datum counts wherever it is, positions that
//	              correspond by strides stay together. Some images per channel suffice.
//	Options.LowPass  where strides leave few translations: the frequencies that both
//	              sizes have. An approximation that says what share it threw away.
//
// docs/convolution.md explains when to use which.
//
// # The mathematics
//
// For maps of Ha × Wa and Hb × Wb the group T of translations has gh = gcd(Ha, Hb) by
// gw = gcd(Wa, Wb) elements, |T| of them; it moves a by steps of (Ha/gh, Wa/gw) positions,
// b by (Hb/gh, Wb/gw). Write a position as step · q + phase and transform over q alone, by
// the unitary discrete Fourier transform: the columns (phase, channel) of one frequency
// (u, v) are a block Z_b of n × d_b complex values, d_b = (Ha/gh)(Wa/gw)Ca. For the data
// set of all translations, values of different blocks have covariance 0, as the
// translations turn them through different phases; so SVCCA of it is that of the blocks:
// their singular values are pooled before the cut, and their correlations after
// (DEFINITIONS §5). Maps are real, hence block (−u, −v) is the conjugate of (u, v): one of
// each such pair is computed, and counts twice.
//
// By default each neuron is centred by its mean over images before anything is translated
// (svcca.CenterNeurons), as Flatten does. svcca.CenterTranslated takes out the mean of the
// translated data set instead, which is that of block (0, 0) alone: any fixed pattern over
// positions, as padding leaves it, is then signal, alike in any two networks.
//
// With T trivial, such as of 7 × 7 and 4 × 4 maps, the result is that of Flatten, and it
// says so.
//
// # Cost
//
// For n images, d and e columns of a block, C and C' channels, T translations of H·W
// positions, so that T·d = H·W·C; n' = min(n, 1024) images for OffBlock. Flops, and memory
// beside the layers, in values of 8 bytes:
//
//	pixels            n·H·W·(C + C')²                     (C + C')²
//	flatten           n·(H·W)²·(C + C')², or n²·H·W·C     (H·W)²·(C + C')², or n²
//	                  for each layer of fewer images
//	                  than neurons
//	dft, n ≥ d, e     2n·T·(d + e)²; T/2 eigen-solves     T·(d + e)²
//	                  of order d and e
//	dft, n < d or e   2n²·T·d for that layer; T/2         T·n², and the columns kept
//	                  eigen-solves of order n
//	Compare           4n·T·k·k'; T/2 singular value       T·n·(k + k'), which the
//	                  decompositions of k × k', the       Reduced hold
//	                  directions kept of a block
//	low pass          as dft of so many frequencies,      T·(C + C')²
//	                  with C, C' columns
//	OffBlock          n' > d: 16n'·T·d²; n' ≤ d: 2n'²·T·d;  2T·d², or T·n'²; and n'²
//	                  and n'²·H·W·C for all at once
//	Covariance        as dft of the one layer             T·d², and 2T·d² for the result
//
// Under dft and low pass that comes beside the transforms, 5/2·n·H·W·C·log₂T flops for each
// layer and pass. One pass over the images is enough for sums of products; triangles take
// another, OffBlock three or four over its n'. A layer of fewer images than columns takes
// two or more, each once for every panel of channels. A batch of transformed images is
// 64 MiB, whatever n is.
//
// # What can be trusted
//
// ErrorBound bounds the error of every ρ and of the mean scores, as in package svcca: from
// sums of products where that is within Options.Accuracy, from the triangles of QR
// factorisations where not. svcca.Mixed transforms and multiplies in float32 and measures
// what that loses. Warnings tell of few images, of maps far from translation invariant, of
// ties. Chance supposes independent images; positions of one image need not be.
//
// # Threads
//
// Blocks are small, so that goroutines with one BLAS thread each serve them best:
// native.LimitThreads(1) at the start of a program. All functions may be called from many
// goroutines, Read of a layer is, and no goroutine outlives a call. Transforms are FFTW's,
// under the GNU GPL, or gonum's with -tags=nofftw and in purego builds.
//
// Section numbers of DEFINITIONS in comments refer to docs/definitions.md.
package conv
