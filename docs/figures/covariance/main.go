// Command covariance draws the figure of docs/convolution.md: the covariance of one channel
// of a network's feature maps with one of another's, over positions and over frequencies,
// of the images as they are and of all their translations. It prints what share of each
// lies off the diagonal.
package main

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"image/png"
	"log"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "directory with a/ and b/, layers of two networks in .npy, images × height × width × channels")
	layer := flag.String("layer", "conv1", "name of the layer in both")
	i := flag.Int("x", 0, "channel of a, from 0")
	j := flag.Int("y", 4, "channel of b, from 0")
	out := flag.String("o", "covariance.png", "the picture")
	flag.Parse()
	x, err := channel(filepath.Join(*data, "a", *layer+".npy"), *i)
	if err != nil {
		log.Fatal(err)
	}
	y, err := channel(filepath.Join(*data, "b", *layer+".npy"), *j)
	if err != nil {
		log.Fatal(err)
	}
	if x.height != y.height || x.width != y.width || len(x.images) != len(y.images) {
		log.Fatalf("%d images of %d × %d and %d of %d × %d", len(x.images), x.height, x.width, len(y.images), y.height, y.width)
	}
	x.centre()
	y.centre()
	still, moved := covariance(x, y), covariance(x.translated(), y.translated())
	panels := []panel{
		{"images as they are, by position", still},
		{"images as they are, by frequency", transform(still, x.height, x.width)},
		{"all translations, by position", moved},
		{"all translations, by frequency", transform(moved, x.height, x.width)},
	}
	for _, p := range panels {
		fmt.Printf("%-34s off the diagonal %.3g of the squared norm\n", p.title, p.off())
	}
	if err := picture(*out, panels, x.width); err != nil {
		log.Fatal(err)
	}
}

// maps are images of one channel.
type maps struct {
	height, width int
	images        [][]float64
}

// channel reads one channel of a file.
func channel(path string, k int) (m maps, err error) {
	f, err := activation.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	shape := f.Shape()
	if len(shape) != 4 || k < 0 || k >= shape[3] {
		return m, fmt.Errorf("%s: no channel %d in %v", path, k, shape)
	}
	m.height, m.width = shape[1], shape[2]
	row := make([]float64, shape[1]*shape[2]*shape[3])
	for i := range shape[0] {
		if err := f.Read(lapack.Of(1, len(row), row), i, 0); err != nil {
			return m, err
		}
		image := make([]float64, m.height*m.width)
		for at := range image {
			image[at] = row[at*shape[3]+k]
		}
		m.images = append(m.images, image)
	}
	return m, nil
}

// centre takes each position's mean over images out.
func (m maps) centre() {
	for at := range m.height * m.width {
		mean := 0.0
		for _, image := range m.images {
			mean += image[at] / float64(len(m.images))
		}
		for _, image := range m.images {
			image[at] -= mean
		}
	}
}

// translated returns every image in every position, cyclically.
func (m maps) translated() maps {
	all := maps{height: m.height, width: m.width}
	for p := range m.height {
		for q := range m.width {
			for _, image := range m.images {
				moved := make([]float64, len(image))
				for a := range m.height {
					for b := range m.width {
						moved[a*m.width+b] = image[(a+p)%m.height*m.width+(b+q)%m.width]
					}
				}
				all.images = append(all.images, moved)
			}
		}
	}
	return all
}

// covariance returns that of x's positions with y's, both centred.
func covariance(x, y maps) [][]complex128 {
	d := x.height * x.width
	c := make([][]complex128, d)
	for i := range c {
		c[i] = make([]complex128, d)
		for j := range c[i] {
			sum := 0.0
			for k, image := range x.images {
				sum += image[i] * y.images[k][j]
			}
			c[i][j] = complex(sum/float64(len(x.images)), 0)
		}
	}
	return c
}

// transform returns (F⊗F)·C·(F⊗F)*, with F the unitary discrete Fourier transform.
func transform(c [][]complex128, h, w int) [][]complex128 {
	f := func(u, a int) complex128 {
		angle := -2 * math.Pi * (float64(u/w*(a/w)%h)/float64(h) + float64(u%w*(a%w)%w)/float64(w))
		return cmplx.Rect(1/math.Sqrt(float64(h*w)), angle)
	}
	d := h * w
	half, out := make([][]complex128, d), make([][]complex128, d)
	for u := range d {
		half[u], out[u] = make([]complex128, d), make([]complex128, d)
		for j := range d {
			for a := range d {
				half[u][j] += f(u, a) * c[a][j]
			}
		}
		for v := range d {
			for b := range d {
				out[u][v] += half[u][b] * cmplx.Conj(f(v, b))
			}
		}
	}
	return out
}

// panel is a covariance to draw: its magnitudes.
type panel struct {
	title  string
	values [][]complex128
}

// off returns the share of the squared norm that is not on the diagonal.
func (p panel) off() float64 {
	var off, all float64
	for i, row := range p.values {
		for j, v := range row {
			square := real(v)*real(v) + imag(v)*imag(v)
			all += square
			if i != j {
				off += square
			}
		}
	}
	return off / all
}

// decades is how far below the largest magnitude of a panel colours reach.
const decades = 3

// fine is how many points a value has along either axis of a grid: pictures are scaled
// smoothly, and edges are to stay sharp.
const fine = 8

// grid is a panel as package plotter has it: rows from above, decades above the least.
type grid struct {
	panel
	largest float64
}

func (g grid) Dims() (c, r int) { return fine * len(g.values), fine * len(g.values) }
func (g grid) X(c int) float64  { return (float64(c)+0.5)/fine - 0.5 }
func (g grid) Y(r int) float64  { return g.X(r) }

func (g grid) Z(c, r int) float64 {
	v := g.values[len(g.values)-1-r/fine][c/fine]
	return math.Max(0, decades+math.Log10(cmplx.Abs(v)/g.largest))
}

// shades go from white through blue to near black.
type shades int

func (s shades) Colors() []color.Color {
	stops := [][3]float64{{255, 255, 255}, {198, 219, 239}, {66, 146, 198}, {8, 69, 148}, {5, 20, 60}}
	colors := make([]color.Color, int(s))
	for i := range colors {
		at := float64(i) / float64(len(colors)-1) * float64(len(stops)-1)
		k := min(int(at), len(stops)-2)
		mix := func(c int) uint8 { return uint8(stops[k][c] + (at-float64(k))*(stops[k+1][c]-stops[k][c])) }
		colors[i] = color.RGBA{mix(0), mix(1), mix(2), 255}
	}
	return colors
}

// bar is the scale of colours as a grid.
type bar struct{ steps int }

func (b bar) Dims() (c, r int)   { return 1, b.steps }
func (b bar) X(int) float64      { return 0 }
func (b bar) Y(r int) float64    { return decades * float64(r) / float64(b.steps-1) }
func (b bar) Z(_, r int) float64 { return b.Y(r) }

const colours = 120

// picture draws the panels, two in a row, and the scale beside them.
func picture(path string, panels []panel, width int) error {
	const side, scale = 3.1 * vg.Inch, 0.95 * vg.Inch
	img := vgimg.NewWith(vgimg.UseWH(2*side+scale, 2*side), vgimg.UseDPI(110))
	canvas := draw.New(img)
	for at, p := range panels {
		plotted, err := heatMap(p, width, at%2 == 1)
		if err != nil {
			return err
		}
		left, top := vg.Length(at%2)*side, canvas.Max.Y-vg.Length(at/2)*side
		plotted.Draw(draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: canvas.Min.X + left + 4, Y: top - side + 4}, Max: vg.Point{X: canvas.Min.X + left + side - 4, Y: top - 4}}})
	}
	plotted, err := scaleBar()
	if err != nil {
		return err
	}
	plotted.Draw(draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: canvas.Min.X + 2*side + 4, Y: canvas.Min.Y + side/2}, Max: vg.Point{X: canvas.Max.X - 6, Y: canvas.Max.Y - side/2}}})
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	// No more colours than are used, for a small file.
	small := image.NewPaletted(img.Image().Bounds(), shades(200).Colors())
	for grey := range 56 {
		v := uint8(255 * grey / 55)
		small.Palette = append(small.Palette, color.RGBA{v, v, v, 255})
	}
	stddraw.Draw(small, small.Bounds(), img.Image(), image.Point{}, stddraw.Src)
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, small); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func heatMap(p panel, width int, frequencies bool) (*plot.Plot, error) {
	g := grid{panel: p}
	for _, row := range p.values {
		for _, v := range row {
			g.largest = math.Max(g.largest, cmplx.Abs(v))
		}
	}
	plotted := newPlot()
	plotted.Title.Text = p.title
	if share := p.off(); share < 1e-12 {
		plotted.Title.Text += "\noff the diagonal: 0, to rounding"
	} else {
		plotted.Title.Text += fmt.Sprintf("\noff the diagonal: %.0f%% of the squared norm", 100*share)
	}
	name, order := "position", "row + column"
	if frequencies {
		name, order = "frequency", "u + v"
	}
	plotted.X.Label.Text, plotted.Y.Label.Text = fmt.Sprintf("%s in b: %d × %s", name, width, order), name+" in a"
	h := plotter.NewHeatMap(g, shades(colours))
	h.Min, h.Max, h.Rasterized = 0, decades, true
	plotted.Add(h)
	last := len(p.values) - 1
	var x, y []plot.Tick
	for at := 0; at <= last; at += 2 * width {
		x = append(x, plot.Tick{Value: float64(at), Label: fmt.Sprint(at)})
		y = append(y, plot.Tick{Value: float64(last - at), Label: fmt.Sprint(at)})
	}
	plotted.X.Tick.Marker, plotted.Y.Tick.Marker = plot.ConstantTicks(x), plot.ConstantTicks(y)
	return plotted, nil
}

func scaleBar() (*plot.Plot, error) {
	plotted := newPlot()
	plotted.Title.Text = "|covariance|,\nof the panel's\nlargest"
	h := plotter.NewHeatMap(bar{colours}, shades(colours))
	h.Min, h.Max, h.Rasterized = 0, decades, true
	plotted.Add(h)
	plotted.HideX()
	plotted.Y.Tick.Marker = plot.ConstantTicks{
		{Value: 0, Label: "≤ 0.001"}, {Value: 1, Label: "0.01"}, {Value: 2, Label: "0.1"}, {Value: 3, Label: "1"},
	}
	return plotted, nil
}

func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Padding = 4
	p.X.Padding, p.Y.Padding = 2, 2
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 9)
	}
	return p
}
