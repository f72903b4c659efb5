package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// init makes PDF say the same whenever it is made, and its parts come in one order.
func init() {
	fpdf.SetDefaultCreationDate(zipTime)
	fpdf.SetDefaultModificationDate(zipTime)
	fpdf.SetDefaultCatalogSort(true)
}

// pictureFlags are the flags of how a matrix is drawn.
type pictureFlags struct {
	Clustered bool `json:"clustered"`
	Distances bool `json:"distances"`
}

func (f *pictureFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.Clustered, "clustered", false, "layers that are alike side by side (default: in order)")
	flags.BoolVar(&f.Distances, "distances", false, "1 − score (default: the score)")
}

// pictureNames are the flags' names.
var pictureNames = []string{"clustered", "distances"}

// check returns an error where there is nothing that the flags are for.
func (f *pictureFlags) check(cmd *cobra.Command, outputs []string) error {
	for _, path := range outputs {
		if _, err := figure.FormatOf(path); err == nil {
			if f.Clustered && cmd.Flags().Changed("against") {
				return misusef("--clustered puts rows and columns in one order: leave out --against, or --clustered")
			}
			return nil
		}
	}
	for _, name := range pictureNames {
		if cmd.Flags().Changed(name) {
			return misusef("--%s is for pictures: -o OUT.svg, .png or .pdf", name)
		}
	}
	return nil
}

// newPictures is a page of the help, as newSelection.
func newPictures() *cobra.Command {
	c := &cobra.Command{
		Use:   "pictures",
		Short: "What matrix and dims draw, and flags for it",
		Example: `  svcca matrix a --against b -o ab.svg
  svcca matrix a b -o ab.pdf --clustered --distances
  svcca dims a -o spectra.png`,
		Long: `-o OUT.svg, .png or .pdf draws: of matrix the scores of layers against layers,
hatched where one is undefined; of dims the singular values of layers, each cut
where 99% of variance is reached. OUT.svg.json says what made it and names all
layers in full, in the order in which they are drawn.

matrix takes these flags. With --clustered layers are in the order of average
linkage clustering of 1 − score.`,
	}
	c.Flags().SortFlags = false
	new(pictureFlags).register(c.Flags())
	return c
}

// drawing is a picture that can be written.
type drawing interface {
	Render(w io.Writer, format figure.Format, page figure.Page) error
}

// draw makes the file of a picture, and its note.
func (t *target) draw(ctx context.Context, format figure.Format, d drawing, p provenance) error {
	return t.writeNoted(p, func(w io.Writer) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.Render(w, format, figure.Page{}); err != nil {
			return fmt.Errorf("%s: %w", shown(t.path), err)
		}
		return nil
	})
}

// drawn is the matrix as a picture, and what there is to say of it.
func (m *matrixJSON) drawn() (pane figure.Pane, p provenance, err error) {
	kind := m.Score.kind()
	pane = figure.Pane{Distances: m.picture.Distances}
	switch {
	case kind.name == "mean": // SVCCA similarity or distance
	case m.picture.Distances:
		pane.Score = string(kind.name) // behind 1 −
	default:
		pane.Score = kind.title
	}
	var rowsIn, columnsIn string
	pane.Rows, rowsIn = shortNames(m.Rows)
	pane.Columns, columnsIn = shortNames(m.Columns)
	if !m.Symmetric {
		pane.RowTitle, pane.ColumnTitle = directoryTitle(rowsIn), directoryTitle(columnsIn)
	}
	for i := range m.Pairs {
		values, undefined := kind.onScale(len(m.Columns), func(j int) *svcca.PairScores { return &m.Pairs[i][j] })
		pane.Values, pane.Undefined = append(pane.Values, values), append(pane.Undefined, undefined)
	}
	p = m.provenance()
	p.Picture = &m.picture
	if m.picture.Clustered {
		var order []int
		if pane, order, err = pane.Clustered(); err != nil {
			return pane, p, err
		}
		for i, from := range order {
			p.Rows[i], p.Columns[i] = m.Rows[from].Name, m.Columns[from].Name
		}
	}
	return pane, p, nil
}

// directoryTitle is what layers of a directory are of.
func directoryTitle(dir string) string { return strings.TrimSuffix(dir, "/") }

// onScale returns the scores of a row of pairs as pictures show them.
func (k scoreKind) onScale(count int, pair func(j int) *svcca.PairScores) (values []float64, undefined []bool) {
	values, undefined = make([]float64, count), make([]bool, count)
	for j := range count {
		if v, bound := k.of(pair(j)); v != nil {
			values[j] = onScale(*v, bound)
		} else {
			undefined[j] = true
		}
	}
	return values, undefined
}

// onScale returns 0 or 1 where a score lies beyond by no more than its error bound: else
// the scale would say that scores do.
func onScale(v, bound float64) float64 {
	if on := min(max(v, 0), 1); math.Abs(v-on) <= bound {
		return on
	}
	return v
}
