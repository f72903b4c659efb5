// Package reference finds the reference set of small trained networks and their
// activations, where it lies beside the checkout (../shared/activations), for tests. Its
// README says what is in it and how it was made.
package reference

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Folder returns where the set is. The test is skipped where there is none.
func Folder(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(root) == root {
			t.Fatal("reference: no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	folder := filepath.Join(root, "..", "shared", "activations")
	if _, err := os.Stat(filepath.Join(folder, "reference.json")); err != nil {
		t.Skipf("no reference set at %s", folder)
	}
	return folder
}

// Expected sets into to what reference.json has under key.
func Expected(t testing.TB, key string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Folder(t), "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[key], into); err != nil {
		t.Fatalf("reference.json: %s: %v", key, err)
	}
}

// Layer returns the float32 layer of a name such as "digits/a/fc2", in memory: some of its
// rows in their order, all for nil.
func Layer(t testing.TB, name string, rows []int) svcca.Layer {
	t.Helper()
	values := Values(t, name)
	if rows == nil {
		for i := range values.Rows {
			rows = append(rows, i)
		}
	}
	narrow := make([]float32, 0, len(rows)*values.Cols)
	for _, i := range rows {
		for _, v := range values.Row(i) {
			narrow = append(narrow, float32(v)) // which it was
		}
	}
	return svcca.FromSlice(name, narrow, len(rows), values.Cols)
}

// Values returns the numbers of a layer's file.
func Values(t testing.TB, name string) lapack.Matrix[float64] {
	t.Helper()
	f, err := activation.Open(filepath.Join(Folder(t), name+".npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, d := f.Dims()
	values := lapack.New[float64](n, d)
	if err := f.Read(values, 0, 0); err != nil {
		t.Fatal(err)
	}
	return values
}

// Vector returns the numbers of a file of one dimension: row numbers, labels or biases.
func Vector(t testing.TB, name string) []float64 {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Folder(t), name+".npy"))
	if err != nil {
		t.Fatal(err)
	}
	const start = 10 // of the header, in version 1
	header := data[start:][:binary.LittleEndian.Uint16(data[8:])]
	var numbers []float64
	for at := data[start+len(header):]; len(at) >= 4; at = at[4:] {
		bits := binary.LittleEndian.Uint32(at)
		switch {
		case bytes.Contains(header, []byte("'<i4'")):
			numbers = append(numbers, float64(int32(bits)))
		case bytes.Contains(header, []byte("'<f4'")):
			numbers = append(numbers, float64(math.Float32frombits(bits)))
		default:
			t.Fatalf("reference: %s: %s", name, header)
		}
	}
	return numbers
}
