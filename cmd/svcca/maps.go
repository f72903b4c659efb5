package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// way is a flag, --conv: how feature maps are compared. Empty: they are refused.
type way string

const (
	byPixels  way = "pixels"
	byFlatten way = "flatten"
	byDFT     way = "dft"
	byLowPass way = "lowpass"
)

var ways = []string{string(byPixels), string(byFlatten), string(byDFT), string(byLowPass)}

// translates reports whether package conv compares, under translations.
func (w way) translates() bool { return w == byDFT || w == byLowPass }

// MarshalText returns the way's name.
func (w way) MarshalText() ([]byte, error) { return []byte(w), nil }

// UnmarshalText reads the name of a way.
func (w *way) UnmarshalText(text []byte) error {
	for _, name := range ways {
		if name == string(text) {
			*w = way(name)
			return nil
		}
	}
	near := ""
	if n := nearest(string(text), ways); n != "" {
		near = ": did you mean " + n + "?"
	}
	return fmt.Errorf("one of %s expected%s", strings.Join(ways, ", "), near)
}

// offBlock is a flag, --off-block: how many images tell how far maps are from
// invariant. Zero is conv's own number, below zero none.
type offBlock int

// MarshalText returns what UnmarshalText takes, nothing for zero.
func (o offBlock) MarshalText() ([]byte, error) {
	switch {
	case o < 0:
		return []byte("none"), nil
	case o == 0:
		return nil, nil
	}
	return []byte(strconv.Itoa(int(o))), nil
}

// fewestOffBlock is how many images the estimate takes at least (DEFINITIONS §5).
const fewestOffBlock = 5

// UnmarshalText reads a number of images, or "none".
func (o *offBlock) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	switch {
	case string(text) == "none" || err == nil && n == -1:
		*o = -1
	case err == nil && (n == 0 || n >= fewestOffBlock):
		*o = offBlock(n)
	default:
		return fmt.Errorf("a number of images, at least %d, or none expected", fewestOffBlock)
	}
	return nil
}

// mapFlags are the flags of feature maps.
type mapFlags struct {
	way         way
	layout      conv.Layout
	layoutGiven bool
	tokens      string // the rule by which files of three dimensions were read, or ""
}

func (f *mapFlags) register(flags *pflag.FlagSet) {
	flags.TextVar(&f.way, "conv", way(""), "maps `AS` pixels, flatten, dft, lowpass (default: no)")
	f.registerLayout(flags)
}

func (f *mapFlags) registerLayout(flags *pflag.FlagSet) {
	flags.Var(axes{f}, "layout", "`AXES` nhwc, ntd; nchw, nct for PyTorch (default nhwc)")
}

// axes is a flag, --layout: whether channels come last or first, in the words for
// arrays of four dimensions or of three. Either means both.
type axes struct{ of *mapFlags }

func (a axes) String() string { return "" }
func (a axes) Type() string   { return "AXES" }

// Set reads the name of a layout.
func (a axes) Set(text string) error {
	switch text {
	case "ntd":
		text = "nhwc"
	case "nct":
		text = "nchw"
	}
	layout, err := conv.ParseLayout(text)
	if err != nil {
		return errors.New("one of nhwc, nchw, ntd, nct expected")
	}
	a.of.layout, a.of.layoutGiven = layout, true
	return nil
}

// check returns an error where flags do not go together.
func (f *mapFlags) check(cmd *cobra.Command, o *optionFlags) error {
	if !f.way.translates() {
		if o.options.Centering == svcca.CenterTranslated {
			return misusef("--centering translated is for --conv dft and lowpass, where maps are translated")
		}
		if cmd.Flags().Changed("off-block") {
			return misusef("--off-block is for --conv dft, of which it tells how far maps are from invariant")
		}
	}
	if f.way.translates() && o.options.Solver == svcca.Krylov {
		return misusef("--solver krylov does not go with --conv %s: every block is solved exactly", f.way)
	}
	if f.way != "" && o.transpose {
		return misusef("--transpose does not go with --conv: images come first in a file of feature maps")
	}
	return nil
}

// unit returns what datapoints are.
func (f *mapFlags) unit() string {
	switch f.way {
	case "":
		if f.tokens == activation.Each.String() {
			return "token"
		}
		return "datapoint"
	case byPixels:
		return "position"
	}
	return "image"
}

// mapSize is the size of a map, h × w × c.
type mapSize struct{ height, width, channels int }

func (s mapSize) String() string {
	return fmt.Sprintf("%d × %d × %d", s.height, s.width, s.channels)
}

// sizeOf returns the size of the maps in an array of that shape, nil where it has no
// four dimensions.
func sizeOf(shape []int, layout conv.Layout) *mapSize {
	switch {
	case len(shape) != 4:
		return nil
	case layout == conv.NCHW:
		return &mapSize{shape[2], shape[3], shape[1]}
	}
	return &mapSize{shape[1], shape[2], shape[3]}
}

// reading says in words how the array of a file is read.
func reading(shape []int, layout conv.Layout) string {
	s := sizeOf(shape, layout)
	return fmt.Sprintf("%s of %d × %d, %s (%v)", plural(shape[0], "image"), s.height, s.width, plural(s.channels, "channel"), layout)
}

// squareIn returns the one layout in which maps are square, as nearly all are, if
// there is one.
func squareIn(shape []int) (layout conv.Layout, one bool) {
	nhwc, nchw := shape[1] == shape[2], shape[2] == shape[3]
	if nchw {
		layout = conv.NCHW
	}
	return layout, nhwc != nchw
}

// assumed says how a file of maps is read, and that there is another layout: where only
// that would make them square, or where a file of three dimensions does not tell.
func (f *mapFlags) assumed(l activation.Layer) string {
	of, _, _ := activation.Origin(l, 0, 0)
	shape := l.Shape()
	shape[0], _ = of.Dims() // all images
	text := fmt.Sprintf("%q: %s", l.Name(), reading(shape, f.layout))
	if square, one := squareIn(shape); one && square != f.layout {
		s := sizeOf(shape, square)
		text += fmt.Sprintf("\n--layout %v would make that %d × %d, %s", square, s.height, s.width, plural(s.channels, "channel"))
	}
	if s, is := l.(*strip); is && !f.layoutGiven {
		of := s.Layer.Shape()
		text += fmt.Sprintf("\nassumed; else --layout nct if these are %s × %s", plural(of[1], "channel"), plural(of[2], "time"))
	}
	return text
}

// mapsError is the refusal of feature maps where there is no --conv. Its text is for
// commands that have no such flag.
type mapsError struct {
	path  string
	shape []int
}

func (e *mapsError) Error() string {
	return fmt.Sprintf(`%s holds feature maps, %s, where two dimensions
are needed. svcca compare and svcca matrix take maps, with --conv.
Or make two in numpy, with x = np.load("maps.npy"), by either of
  np.save("flat.npy", x.reshape(len(x), -1))       # maps are neurons
  np.save("rows.npy", x.reshape(-1, x.shape[-1]))  # positions are rows
Channels first, as in PyTorch: x.transpose(0, 2, 3, 1) before the second.`,
		shown(e.path), shapeText(e.shape))
}

func shapeText(shape []int) string {
	var sizes []string
	for _, s := range shape {
		sizes = append(sizes, strconv.Itoa(s))
	}
	return strings.Join(sizes, " × ")
}

// choices is err, where that refuses feature maps in six lines: which ways there are to
// compare them, and the command that does. Other errors stay.
func choices(err error, command string, args ...string) error {
	var refused *mapsError
	if !errors.As(err, &refused) {
		return err
	}
	const room, hint = maxColumns - len("svcca: "), "   # or --layout nchw"
	line := "svcca " + command
	for i, arg := range args {
		if line += " " + shellQuoted(arg); i == 0 && command == "matrix" && columns(strings.Join(args, " ")) > room/2 {
			line += " …"
			break
		}
	}
	line += " --conv dft"
	switch layout, one := squareIn(refused.shape); {
	case one && layout == conv.NCHW:
		line += " --layout nchw"
	case !one && columns(line+hint) <= room:
		line += hint // as PyTorch has it
	}
	return fmt.Errorf(`%s holds feature maps, %s: choose by --conv
  dft      every image in all translations: exact, whatever the sizes;
           lowpass, where sizes differ: low frequencies only, approximate
  pixels   each position of each image is a datapoint; maps of one size
  flatten  each position of each channel is a neuron; needs most images
%s`, shown(refused.path), shapeText(refused.shape), shown(line))
}

// shellQuoted returns an argument as a shell takes it.
func shellQuoted(s string) string {
	plain := s != ""
	for _, r := range s {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./=+,:@%", r) || r >= 0x80)
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
