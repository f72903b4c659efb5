package activation_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

// The same datapoints and neurons of any layer, here the last two of each.
func ExampleTake() {
	x := layerOf("(4, 3)", 0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32)
	some := activation.Take(activation.Take(x, 0, []int{2, 3}), 1, []int{1, 2})
	fmt.Println(some.Shape(), valuesOf(some))
	// Output:
	// [2 2] [21 22 31 32]
}

// Two examples of three tokens, as datapoints and as means.
func ExampleTokens() {
	x := layerOf("(2, 3, 2)", 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15)
	for _, rule := range []activation.TokenRule{activation.Each, activation.Mean, activation.Last} {
		l, err := activation.Tokens(x, activation.TokenOptions{Rule: rule})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rule, l.Shape(), valuesOf(l))
	}
	// Output:
	// each [6 2] [0 1 2 3 4 5 10 11 12 13 14 15]
	// mean [2 2] [2 3 12 13]
	// last [2 2] [4 5 14 15]
}

// Layers whose datapoints are in another order, some of them missing.
func ExampleJoin() {
	x, y := layerOf("(3, 1)", 1, 2, 3), layerOf("(4, 1)", 40, 30, 20, 50)
	idsOfX, err := activation.NewIDs("x", []string{"cat", "dog", "owl"})
	if err != nil {
		log.Fatal(err)
	}
	idsOfY, err := activation.NewIDs("y", []string{"elk", "owl", "dog", "ape"})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := activation.Join(idsOfX, idsOfY)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(rows[0]), "of", idsOfX.Len(), "and", idsOfY.Len(), "match")
	fmt.Println(valuesOf(activation.Take(x, 0, rows[0])), valuesOf(activation.Take(y, 0, rows[1])))
	// Output:
	// 2 of 3 and 4 match
	// [2 3] [20 30]
}

// layerOf returns a layer in memory, as numpy.save would write it in float32.
func layerOf(shape string, values ...float32) activation.Layer {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n", shape)
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	b = append(b, header...)
	b, err := binary.Append(b, binary.LittleEndian, values)
	if err != nil {
		log.Fatal(err)
	}
	f, err := activation.NewFile("x", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func valuesOf(l activation.Layer) []float64 {
	all := lapack.New[float64](l.Dims())
	if err := l.Read(all, 0, 0); err != nil {
		log.Fatal(err)
	}
	return all.Data
}
