package main

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// invariance says how far maps are from what dft takes them to be.
func (p *page) invariance(r *result) {
	if r.conv == nil {
		return
	}
	shares := []*conv.OffBlock{r.conv.OffBlockX, r.conv.OffBlockY}
	if shares[0] == nil && shares[1] == nil {
		if why := notEstimated(r); why != "" {
			p.line("")
			p.paragraph("", "", "How far the maps are from translation invariant is not estimated "+why+".")
		}
		return
	}
	p.line("")
	exact, far, images := true, false, 0
	p.line("Translation invariance, which dft takes for granted (0%):")
	for i, o := range shares {
		if o == nil {
			continue
		}
		exact, images = exact && o.Share <= 2*o.Error, o.Images
		far = far || o.Share-2*o.Error > 0.5
		p.paragraph("  "+[]string{"x", "y"}[i]+"  ", "     ", fmt.Sprintf(
			"%s of the covariance, squared, lies between frequencies, which dft cannot see; %s of the variance is a fixed pattern over positions, the same in every image",
			measured(o.Share, o.Error), measured(o.MeanShare, o.MeanError)))
	}
	p.paragraph("", "", fmt.Sprintf("(± a standard error, from %s.) %s %s", plural(images, "image"), invarianceWords(exact, far), patternWords(r.Options.Centering)))
}

func invarianceWords(exact, far bool) string {
	const rest = "dft compares the rest, and --conv flatten, which asks for more images, compares all."
	switch {
	case exact:
		return "As far as that tells, dft sees all there is."
	case far:
		return "That is far from invariant: " + rest
	}
	return "So " + rest
}

func patternWords(c svcca.Centering) string {
	if c == svcca.CenterNeurons {
		return "The fixed pattern is taken out: every position has a mean of its own."
	}
	return "The fixed pattern counts as signal, which any two networks have in common and chance does not cover: --centering neurons takes it out."
}

// notEstimated says why invariance is not, or nothing where nobody asked.
func notEstimated(r *result) string {
	switch {
	case r.conv.Approximate:
		return "for a low pass"
	case r.conv.Translations == [2]int{1, 1}:
		return "" // there is none to be far from
	case r.Options.Weights != nil:
		return "with weights"
	case r.images < fewestOffBlock:
		return fmt.Sprintf("from fewer than %d images", fewestOffBlock)
	}
	return ""
}

// blocksWords says over what directions are counted.
func blocksWords(r *result) string {
	count := r.conv.Translations[0] * r.conv.Translations[1]
	if count == 1 {
		return ""
	}
	columns := func(d *conv.Directions) int { return d.Steps[0] * d.Steps[1] * d.Channels }
	text := fmt.Sprintf("Both are counted over %d frequencies, in %s", count, plural(len(r.conv.Blocks), "block"))
	switch of := [2]int{columns(r.conv.DirectionsX), columns(r.conv.DirectionsY)}; {
	case r.sizes[0] == nil:
		return text + fmt.Sprintf(" of %s of y, which keep %s each; x does not move and has one block alone.", plural(of[1], "column"), keptIn(r, 1))
	case r.sizes[1] == nil:
		return text + fmt.Sprintf(" of %s of x, which keep %s each; y does not move and has one block alone.", plural(of[0], "column"), keptIn(r, 0))
	default:
		return text + fmt.Sprintf(" of %d and %s, which keep %s each of x and %s of y.", of[0], plural(of[1], "column"), keptIn(r, 0), keptIn(r, 1))
	}
}

// keptIn returns how many directions blocks keep of a side.
func keptIn(r *result, side int) string {
	least, most := math.MaxInt, 0
	for _, b := range r.conv.Blocks {
		k := []int{b.KX, b.KY}[side]
		least, most = min(least, k), max(most, k)
	}
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d to %d", least, most)
}
