package figure_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/svcca"
)

// Every layer of one network against every layer of another.
func ExamplePane() {
	names := []string{"fc3", "logits"}
	var rows, columns []svcca.Layer
	for _, name := range names {
		a, err := digits.Open("a/" + name)
		if err != nil {
			log.Fatal(err)
		}
		b, err := digits.Open("b/" + name)
		if err != nil {
			log.Fatal(err)
		}
		rows, columns = append(rows, a), append(columns, b)
	}
	scores, err := svcca.Pairwise(context.Background(), rows, columns, svcca.PaneOptions{})
	if err != nil {
		log.Fatal(err)
	}
	pane := figure.Pane{Title: "Digits", Rows: names, Columns: names, RowTitle: "network a", ColumnTitle: "network b"}
	for _, row := range scores.Pairs {
		var values []float64
		for _, pair := range row {
			values = append(values, *pair.Mean)
		}
		pane.Values = append(pane.Values, values)
	}

	var file bytes.Buffer
	if err := pane.Render(&file, figure.SVG, figure.Page{Width: 10 * figure.Centimetre}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("fc3 against fc3: %.2f, in the drawing: %v\n", pane.Values[0][0], strings.Contains(file.String(), ">0.90<"))
	// Output:
	// fc3 against fc3: 0.90, in the drawing: true
}

// Like layers side by side.
func ExamplePane_Clustered() {
	pane := figure.Pane{
		Rows:    []string{"a/conv1", "a/fc", "b/conv1", "b/fc"},
		Columns: []string{"a/conv1", "a/fc", "b/conv1", "b/fc"},
		Values: [][]float64{
			{1.00, 0.31, 0.94, 0.28},
			{0.31, 1.00, 0.27, 0.71},
			{0.94, 0.27, 1.00, 0.30},
			{0.28, 0.71, 0.30, 1.00},
		},
	}
	ordered, order, err := pane.Clustered()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order, ordered.Rows)
	// Output:
	// [2 0 1 3] [b/conv1 a/conv1 a/fc b/fc]
}

// A picture of singular values and cuts, in the format of a file's name.
func ExampleSpectra() {
	layer, err := digits.Open("a/fc3")
	if err != nil {
		log.Fatal(err)
	}
	reduced, err := svcca.Reduce(layer, svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	spectra := figure.Spectra{Spectra: []figure.Spectrum{{Name: "fc3", SingularValues: reduced.SingularValues, K: reduced.K}}}
	format, err := figure.FormatOf("fc3.svg")
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := spectra.Render(&file, format, figure.Page{Dark: true, Transparent: true}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(format, strings.Contains(file.String(), "fc3, k = 9"))
	// Output:
	// svg true
}
