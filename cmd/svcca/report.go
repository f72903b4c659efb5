package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// writeReport writes a comparison for people: what was compared, the scores
// beside what chance gives, what they say, and what limits them.
func writeReport(w io.Writer, s style, c *result) error {
	p := newPage(s)
	p.report(c)
	return p.writeTo(w)
}

// over says over what layers are compared.
func (r *result) over() string {
	images := plural(r.images, "image")
	switch {
	case r.way == byPixels:
		return fmt.Sprintf("%s of %s (pixels)", plural(r.X.Datapoints, "position"), images)
	case r.way == byFlatten:
		return images + ", maps flattened"
	case r.conv == nil:
		return plural(r.X.Datapoints, r.unit())
	case r.conv.Approximate:
		return fmt.Sprintf("%s and their %d × %d lowest frequencies (lowpass)", images, r.conv.Translations[0], r.conv.Translations[1])
	}
	return fmt.Sprintf("%s in %d × %d translations (%s)", images, r.conv.Translations[0], r.conv.Translations[1], r.way)
}

func (p *page) report(c *result) {
	p.line("SVCCA of two layers over " + c.over())
	switch {
	case c.Options.Weights == nil:
	case len(c.Options.Weights) == 0:
		p.line("Weighted, as the sums are that this was made from.")
	default:
		p.paragraph("", "", fmt.Sprintf("Weighted: they count as much as %.4g %ss of equal weight.", effective(c.Options.Weights), c.unit()))
	}
	for _, step := range c.selection.words() {
		p.paragraph("  ", "  ", step)
	}
	p.line("")
	p.sides(c)
	text := "rank: directions above rounding noise; kept: " + keptWords(c.Options.Keep) + "."
	if c.conv != nil {
		text += " " + blocksWords(c)
	}
	p.paragraph("", "", text)
	p.line("")
	p.scores(c)
	p.line("")
	p.paragraph("", "", strings.Join(c.words(), " "))
	p.invariance(c)
	p.line("")
	p.sketch(c.Rho)
	p.line("")
	p.paragraph("", "", finePrint(c.Comparison))
	p.paragraph("", "", c.mapFlags.optionWords(c.Options))
	for _, warning := range c.Warnings {
		if warning.Code == conv.WarnOffBlock {
			continue // said above
		}
		p.line("")
		p.paragraph("Warning: ", "  ", p.advised(warning, c))
	}
}

// sides writes a line for each layer. Its name takes what room the numbers leave.
func (p *page) sides(c *result) {
	table := [][]string{{"neurons", "constant", "rank", "kept", "of variance"}}
	switch {
	case c.way == byPixels:
		table[0][0] = "channels"
	case c.way != "":
		table[0][0] = "map"
	}
	lowPass := c.conv != nil && c.conv.Approximate
	if lowPass {
		table[0] = append(table[0], "thrown away")
	}
	for i, side := range []svcca.Side{c.X, c.Y} {
		table = append(table, []string{
			strconv.Itoa(side.Neurons), strconv.Itoa(side.Constant), rankText(side),
			strconv.Itoa(side.K), percent(keptShare(side)),
		})
		if c.way != byPixels && c.sizes[i] != nil {
			table[i+1][0] = c.sizes[i].String()
		}
		if lowPass {
			table[i+1] = append(table[i+1], percent(c.conv.Thrown[i]))
		}
	}
	// Constant neurons are worth a column only where there are some.
	if c.X.Constant+c.Y.Constant == 0 {
		for i, row := range table {
			table[i] = append(row[:1:1], row[2:]...)
		}
	}
	numbers := make([]string, len(table))
	for j := range table[0] {
		width := 0
		for _, row := range table {
			width = max(width, columns(row[j]))
		}
		for i, row := range table {
			numbers[i] += "  " + alignRight(row[j], width)
		}
	}
	names := []string{"layer", shown(c.X.Name), shown(c.Y.Name)}
	room, width := maxColumns-len("  x  ")-columns(numbers[0]), 0
	for i, name := range names {
		names[i] = p.shorten(name, room)
		width = max(width, columns(names[i]))
	}
	for i, mark := range []string{" ", "x", "y"} {
		p.line("  " + mark + "  " + alignLeft(names[i], width) + numbers[i])
	}
}

// scores writes the scores, decimals below each other, and beside each what
// layers would get that share nothing.
func (p *page) scores(c *result) {
	most, none := c.mostByChance(true), "0"
	if c.way == byPixels {
		none = "0 or more"
	}
	rows := [][3]string{
		{"score", "", "unrelated layers, on average"},
		{"SVCCA, the mean of ρ", decimal(c.Mean, c.ErrorBound), c.mostByChance(false)},
		{"mean of ρ²", decimal(c.MeanSquare, c.ErrorBound), c.chanceText()},
	}
	if c.Adjusted != nil {
		rows = append(rows, [3]string{"  adjusted for chance", decimal(*c.Adjusted, c.ErrorBound/(1-c.Chance)), none})
	} else {
		rows = append(rows, [3]string{"  adjusted for chance", "none", "chance takes all"})
	}
	add := func(name string, value, bound float64, unique bool) {
		text := decimal(value, bound)
		if !unique {
			text = decimal(value, c.ErrorBound) + "*"
		}
		rows = append(rows, [3]string{name, text, most})
	}
	add("weighted by x's singular values", c.WeightedX, c.WeightedErrorBound, c.WeightedUnique)
	add("weighted by y's singular values", c.WeightedY, c.WeightedErrorBound, c.WeightedUnique)
	add("PWCCA, weighted by x's neurons", c.PWCCAX, c.PWCCAErrorBound, c.PWCCAUnique)
	add("PWCCA, weighted by y's neurons", c.PWCCAY, c.PWCCAErrorBound, c.PWCCAUnique)
	for _, row := range rows {
		name := p.text(row[0])
		p.line("  " + alignLeft(name, 31) + "  " + alignLeft(row[1], 8) + "  " + row[2])
	}
	if !c.WeightedUnique || !c.PWCCAUnique {
		p.line("  * one choice of many: see the warnings")
	}
}

// advised returns a warning's words with names cut to fit, and for layers that
// may lie on their side what to do.
func (p *page) advised(w svcca.Warning, c *result) string {
	text := w.Text
	for _, name := range []string{c.X.Name, c.Y.Name} {
		text = strings.ReplaceAll(text, strconv.Quote(name), `"`+p.shorten(shown(name), 40)+`"`)
	}
	switch {
	case w.Code == svcca.WarnWide && c.way != "":
	case w.Code == svcca.WarnSaturated && c.conv != nil && c.Chance < 1:
		return text + fmt.Sprintf("; about %d images would bring it under %v", enoughImages(c.conv), wantedChance)
	case w.Code == conv.WarnFewImages:
		return text + ": take more images, or keep fewer directions, as by --keep 'variance(0.9)'"
	case w.Code == svcca.WarnWide && c.transposed:
		return text + " --transpose is on: leave it out if the files hold datapoints × neurons."
	case w.Code == svcca.WarnWide:
		return text + " If so, add --transpose."
	case w.Code == svcca.WarnUncertainK, w.Code == svcca.WarnUncertainRank, w.Code == svcca.WarnAccuracy:
		return text + finer(c.Comparison)
	}
	return text
}

// wantedChance is the chance level that a saturated result is told how to reach.
const wantedChance = 0.1

// enoughImages returns how many images bring chance there, were as many directions kept.
func enoughImages(r *conv.Result) int {
	return int(math.Ceil(r.Chance*float64(r.X.Datapoints)/wantedChance)) + 1
}

// finer says what would have a smaller error, if anything would.
func finer(c *svcca.Comparison) string {
	switch {
	case strings.Contains(string(c.Method), string(svcca.MethodKrylov)):
		return ". --solver exact is finer, where memory allows."
	case c.Options.Precision == svcca.Mixed:
		return ". --precision float64 is finer."
	case c.Method == svcca.MethodMoments:
		// Of layers that are at hand compare has tried it.
		return ". Sums made with svcca moments --triangle are finer."
	}
	return ""
}

// decimal returns v with four decimals, or as many as its error bound allows,
// and spaces in place of the rest; with a question mark where not even one is
// certain.
func decimal(v, bound float64) string {
	const most = 4
	digits, unit := most, 1e-4
	for digits > 1 && bound > unit/2 {
		digits--
		unit *= 10
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-") // no negative nought
	}
	text = strings.Replace(text, "-", "−", 1)
	if bound > unit/2 {
		text += "?"
		digits++
	}
	return text + strings.Repeat(" ", most-digits)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 2, 64) + "%" }

// rankText returns the rank; of a layer of which leading directions alone were
// found, the least that it can be.
func rankText(s svcca.Side) string {
	if s.Norm > 0 {
		return "≥ " + strconv.Itoa(s.Rank)
	}
	return strconv.Itoa(s.Rank)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
