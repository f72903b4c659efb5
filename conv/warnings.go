package conv

import (
	"fmt"

	"github.com/gosvcca/gosvcca/svcca"
)

// The codes of warnings that dense layers do not have.
const (
	// WarnLowPass: frequencies were thrown away.
	WarnLowPass = "low_pass"
	// WarnTrivial: no translation moves both layers by whole positions.
	WarnTrivial = "no_translations"
	// WarnOffBlock: the maps are far from what translations suppose.
	WarnOffBlock = "off_block"
	// WarnFewImages: blocks have more columns than there are images.
	WarnFewImages = "few_images"
)

// acceptedError is the error of ρ in mixed precision that needs no warning, as a share of
// what lies between chance and identity.
const acceptedError = 1e-3

// warn sets the warnings, the gravest first.
func (r *Result) warn(p *pair) {
	r.Warnings = []svcca.Warning{}
	add := func(code, format string, values ...any) {
		r.Warnings = append(r.Warnings, svcca.Warning{Code: code, Text: fmt.Sprintf(format, values...)})
	}
	if r.Saturated {
		forced := ""
		if r.ForcedOnes > 0 {
			forced = fmt.Sprintf("%d of %d correlations are 1 whatever the data; ", r.ForcedOnes, len(r.Rho))
		}
		add(svcca.WarnSaturated, "%d images are few for %d and %d directions in %d blocks: %schance alone gives a mean square of %.3f",
			r.X.Datapoints, r.X.K, r.Y.K, r.Translations[0]*r.Translations[1], forced, r.Chance)
	}
	if r.Approximate {
		add(WarnLowPass, "approximate: a low pass to %d × %d frequencies threw away %.1f%% of %q and %.1f%% of %q; without it strides compare them exactly",
			r.Translations[0], r.Translations[1], 100*r.Thrown[0], r.X.Name, 100*r.Thrown[1], r.Y.Name)
	}
	if !r.Approximate && r.Translations == [2]int{1, 1} {
		add(WarnTrivial, "no translation moves both layers by whole positions: dft is the same as flatten here")
	}
	accepted := r.Options.Accuracy
	if r.Options.Precision == svcca.Mixed {
		accepted = max(accepted, acceptedError*(1-r.Chance))
	}
	if r.ErrorBound > accepted {
		add(svcca.WarnAccuracy, "correlations are right to %.1g only: a cut lies between nearly equal or relatively tiny singular values", r.ErrorBound)
	}
	for _, l := range []*reduced{p.x, p.y} {
		r.Warnings = l.warnings(r.Warnings)
	}
	if !r.WeightedUnique {
		add(svcca.WarnWeightedTies, "singular values tie: the weighted scores are one choice of many")
	}
	if !r.PWCCAUnique {
		add(svcca.WarnPWCCATies, "correlations tie: PWCCA is one choice of many")
	}
	if !r.DirectionsUnique {
		add(svcca.WarnDirectionTies, "correlations tie: single aligned directions are one choice of many")
	}
}

// warnings adds those of one layer to all.
func (r *reduced) warnings(all []svcca.Warning) []svcca.Warning {
	add := func(code, format string, values ...any) {
		all = append(all, svcca.Warning{Code: code, Text: fmt.Sprintf(format, values...)})
	}
	if r.columns > r.n {
		add(WarnFewImages, "%q has blocks of %d columns and %d images", r.name, r.columns, r.n)
	}
	switch {
	case r.Squared && !r.KSure:
		add(svcca.WarnUncertainK, "%q: whether %d directions are to be kept hangs on the rounding of sums", r.name, r.K)
	case r.Squared && !r.RankSure:
		add(svcca.WarnUncertainRank, "%q: the rank is at least %d: the rounding of sums hides what lies below", r.name, r.Rank)
	}
	if r.fallback {
		add(svcca.WarnDouble, "%q: computed in float64", r.name)
	}
	if r.Grew && r.K > 2 {
		add(svcca.WarnKGrew, "%q: k was enlarged to %d, the end of a group of equal singular values", r.name, r.K)
	}
	return all
}

// farFrom is the share of covariance off the blocks from which a result says so.
const farFrom = 0.5

// warnOffBlock tells where the maps are far from what translations suppose.
func (r *Result) warnOffBlock() {
	for i, o := range []*OffBlock{r.OffBlockX, r.OffBlockY} {
		if o != nil && o.Share-2*o.Error > farFrom {
			r.Warnings = append(r.Warnings, svcca.Warning{Code: WarnOffBlock, Text: fmt.Sprintf(
				"%q is far from translation invariant: %.0f%% (± %.0f) of its covariance lies between frequencies, which dft does not see",
				[]svcca.Side{r.X, r.Y}[i].Name, 100*o.Share, 100*o.Error)})
		}
	}
}
