package bench

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// WritePair writes the two layers of Pair as float32 .npy: the data of workload
// W4, whose n makes them too large for memory. It keeps one row of each.
//
// Cost as Pair's: about half a minute for W4.
func WritePair(x, y io.Writer, spectrum Spectrum, n, d int, seed uint64) error {
	files := [2]*bufio.Writer{bufio.NewWriterSize(x, 1<<20), bufio.NewWriterSize(y, 1<<20)}
	for _, f := range files {
		f.WriteString(npyHeader(n, d)) // an error comes again from Flush
	}
	var (
		rows       = newPairRows(spectrum, d, seed)
		rowX, rowY []float32
		bytes      []byte
	)
	for range n {
		rowX, rowY = rows.appendNext(rowX[:0], rowY[:0])
		for i, row := range [][]float32{rowX, rowY} {
			bytes = bytes[:0]
			for _, v := range row {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
			}
			if _, err := files[i].Write(bytes); err != nil {
				return err
			}
		}
	}
	return cmp.Or(files[0].Flush(), files[1].Flush())
}

// npyHeader returns the header of version 1.0 of an n × d array of float32, a
// multiple of 64 bytes.
func npyHeader(n, d int) string {
	const fixed = len("\x93NUMPY") + 4
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", n, d)
	text += strings.Repeat(" ", 63-(fixed+len(text))%64) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(text)))) + text
}
