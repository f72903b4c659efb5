package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// sumsJSON says what a file of sums holds.
type sumsJSON struct {
	Schema     string          `json:"schema"`
	Version    string          `json:"version"`
	Layers     []summedLayer   `json:"layers"`
	Datapoints int             `json:"datapoints"`
	Weight     *float64        `json:"weight"` // Σw; null beyond float64's range
	Method     svcca.Method    `json:"method"`
	Precision  svcca.Precision `json:"precision"`
}

// tell says what a file of sums holds.
func (f *momentsFlags) tell(cmd *cobra.Command, path string) error {
	if isLayer(path) {
		return misusef("-o OUT.sums is needed")
	}
	err := refuse(cmd, "a file of sums alone", "datapoints", "weights", "split", "triangle", "precision", "transpose", "resume", "force")
	if err != nil {
		return err
	}
	_, head, _, err := readSums(path, f.memory)
	if err != nil {
		return err
	}
	if f.json {
		told := sumsJSON{
			Schema: "svcca.sums/1", Version: version(), Layers: head.Layers, Datapoints: head.Datapoints,
			Method: head.Method, Precision: head.Precision,
		}
		if w := head.weight(); w <= maxFinite {
			told.Weight = &w
		}
		return writeJSON(cmd.OutOrStdout(), told)
	}
	p := newPage(localStyle())
	p.sumsTold(path, head)
	return p.writeTo(cmd.OutOrStdout())
}

// isLayer reports whether an argument is a layer, in whatever form, and no file of
// sums.
func isLayer(arg string) bool {
	info, err := os.Stat(arg)
	return arg == "-" || err == nil && info.IsDir() || err != nil && isPattern(arg) || holdsArrays(arg)
}

// sumsTold describes a file of sums.
func (p *page) sumsTold(path string, head sumsHead) {
	of := "one layer"
	if len(head.Layers) == 2 {
		of = "two layers"
	}
	p.line("Sums of " + of + " over " + plural(head.Datapoints, "datapoint"))
	if head.weighted() {
		p.paragraph("", "", fmt.Sprintf("Weighted: the weights add up to %.6g.", head.weight()))
	}
	p.line("")
	const numbers = "  neurons  storage "
	room, width := maxColumns-len("  x  ")-len(numbers), len("layer")
	var names []string
	for _, l := range head.Layers {
		names = append(names, p.shorten(shown(l.Name), room))
		width = max(width, columns(names[len(names)-1]))
	}
	p.line("     " + alignLeft("layer", width) + numbers)
	for i, l := range head.Layers {
		p.line("  " + string(rune('x'+i)) + "  " + alignLeft(names[i], width) + alignRight(strconv.Itoa(l.Neurons), len("  neurons")) + "  " + l.Storage)
	}
	p.line("")
	words := map[svcca.Method]string{svcca.MethodMoments: "products of neurons", svcca.MethodTriangle: "a QR factorisation (--triangle)"}
	method := words[head.Method]
	if head.Method == svcca.MethodMoments {
		method += " in " + precisionWords(head.Precision)
	}
	p.paragraph("", "", "Held as "+method+".")
	if len(head.Layers) == 2 {
		p.line("next: svcca compare " + p.shorten(shown(path), maxColumns-len("next: svcca compare ")))
	}
}

// precisionWords names a precision as reports do.
func precisionWords(p svcca.Precision) string {
	if p == svcca.Mixed {
		return "mixed precision"
	}
	return p.String()
}
