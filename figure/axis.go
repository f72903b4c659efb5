package figure

import (
	"fmt"
	"math"
	"strconv"
)

// axis maps values from low to high onto 0 to 1, in proportion or by logarithm.
type axis struct {
	low, high float64
	log       bool
}

// mostValue bounds what axes show, so that no difference overflows.
const mostValue = 1e300

// leastSpan is that of an axis, as a share of its largest value: less would need
// ticks of more digits than read well.
const leastSpan = 1e-3

// newAxis spans values, with a twenty-fifth beside them (of a logarithm one at
// most), or more if they are nearly alike. Values have passed checkAxis.
func newAxis(values []float64, log bool) axis {
	a := axis{math.Inf(1), math.Inf(-1), log}
	for _, v := range values {
		a.low, a.high = min(a.low, v), max(a.high, v)
	}
	if log {
		low, high := math.Log10(a.low), math.Log10(a.high)
		beside := max(0.05, min(1, 0.04*(high-low)))
		return axis{math.Pow(10, low-beside), math.Pow(10, high+beside), true}
	}
	beside := 0.04 * (a.high - a.low)
	if size := max(math.Abs(a.low), math.Abs(a.high)); size == 0 {
		beside = 0.5
	} else if a.high-a.low < leastSpan*size {
		beside = max(0.05*size, 1/mostValue)
	}
	return axis{a.low - beside, a.high + beside, false}
}

// checkAxis tells what is wrong with a value for an axis.
func checkAxis(what string, v float64, log bool) error {
	switch {
	case !finite(v):
		return fmt.Errorf("%w: %s is %v", ErrNotFinite, what, v)
	case math.Abs(v) > mostValue:
		return fmt.Errorf("%w: %s is %g: axes reach to %g", ErrRange, what, v, mostValue)
	case log && v < 1/mostValue:
		return fmt.Errorf("%w: %s is %g: a logarithmic axis begins above 0, at %g", ErrRange, what, v, 1/mostValue)
	}
	return nil
}

// at is the place of v, 0 at low and 1 at high.
func (a axis) at(v float64) float64 {
	if a.log {
		low := math.Log(a.low)
		return (math.Log(v) - low) / (math.Log(a.high) - low)
	}
	return (v - a.low) / (a.high - a.low)
}

// mark is a tick; without text a minor one.
type mark struct {
	value float64
	text  string
}

// marks returns the ticks of the axis, as many of them with text as fit, up to
// eight: fits is asked whether texts at such places do.
func (a axis) marks(fits func([]mark) bool) []mark {
	if a.log && a.high/a.low >= 20 {
		return a.decades(fits)
	}
	for n := 8; n > 1; n-- {
		if m := a.steps(n); fits(m) {
			return m
		}
	}
	return a.steps(1)
}

// steps returns at most n+1 multiples of 1, 2 or 5 times a power of ten.
func (a axis) steps(n int) []mark {
	least := (a.high - a.low) / float64(n)
	exponent := int(math.Floor(math.Log10(least)))
	for _, digit := range []int{1, 2, 5, 10} {
		// Powers are parsed: products of tenths would not print as they are read.
		step, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", digit, exponent), 64)
		if step < least {
			continue
		}
		var marks []mark
		first := math.Ceil(a.low / step)
		for i := first; i*step <= a.high && len(marks) <= n; i++ {
			places := -exponent
			if digit == 10 {
				places--
			}
			marks = append(marks, mark{i * step, tickText(i*step, places, max(math.Abs(a.low), math.Abs(a.high)))})
		}
		return marks
	}
	return nil
}

// tickText prints v with the given number of decimal places, largest being the
// axis's largest magnitude.
func tickText(v float64, places int, largest float64) string {
	if v == 0 {
		return "0"
	}
	text := ""
	if largest >= 1e7 || places > 5 {
		digits := int(math.Floor(math.Log10(math.Abs(v)))) + places
		text = strconv.FormatFloat(v, 'e', max(0, min(16, digits)), 64)
		text = shortExponent(text)
	} else {
		text = strconv.FormatFloat(v, 'f', max(0, places), 64)
	}
	if text[0] == '-' {
		text = "−" + text[1:]
	}
	return text
}

// shortExponent writes 1.5e+07 as 1.5e7, 1e-05 as 1e−5.
func shortExponent(text string) string {
	for i := range len(text) {
		if text[i] == 'e' {
			exponent, _ := strconv.Atoi(text[i+1:])
			sign := ""
			if exponent < 0 {
				sign, exponent = "−", -exponent
			}
			return text[:i] + "e" + sign + strconv.Itoa(exponent)
		}
	}
	return text
}

// decades returns powers of ten, every one with text that fits, and between
// neighbours the other multiples as minor ones.
func (a axis) decades(fits func([]mark) bool) []mark {
	first, last := int(math.Floor(math.Log10(a.low))), int(math.Ceil(math.Log10(a.high)))
	for every := 1; ; every++ {
		var texts, minor []mark
		for e := first; e <= last; e++ {
			for digit := 1; digit < 10; digit++ {
				v, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", digit, e), 64)
				switch {
				case v < a.low || v > a.high:
				case digit == 1 && e%every == 0:
					texts = append(texts, mark{v, powerText(e)})
				case digit == 1 || every == 1 && last-first <= 7:
					minor = append(minor, mark{value: v})
				}
			}
		}
		if len(texts) <= 8 && fits(texts) || len(texts) <= 1 {
			return append(texts, minor...)
		}
	}
}

func powerText(e int) string {
	if e >= -3 && e <= 5 {
		return strconv.FormatFloat(math.Pow10(e), 'f', max(0, -e), 64)
	}
	return shortExponent(fmt.Sprintf("1e%d", e))
}
