package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Records of CIFAR-10's binary version: a byte of label, then red, green and blue planes of
// 32 × 32 bytes, rows from top to bottom.
const (
	cifarSide   = 32
	cifarPlane  = cifarSide * cifarSide
	cifarRecord = 1 + 3*cifarPlane
)

// cifarClasses are CIFAR-10's, in the order of its labels.
var cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// cifarFiles are the names of the files to train on and to test with: the official ones, or
// one file of each.
var cifarFiles = [][2][]string{
	{{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}, {"test_batch.bin"}},
	{{"train.bin"}, {"test.bin"}},
}

const cifarAddress = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"

// CIFAR10 returns the images in a directory: those of the official archive
// (https://www.cs.toronto.edu/~kriz/cifar.html, binary version), 50000 to train on and 10000
// to test with; or of train.bin and test.bin, of any number of the same records.
func CIFAR10(dir string) (train, test *Set, err error) {
	if dir == "" {
		return nil, nil, fmt.Errorf("CIFAR-10 is not in the program: give the directory of its binary version, from %s", cifarAddress)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, fmt.Errorf("%w: the directory of CIFAR-10 is expected, unpacked from %s", err, cifarAddress)
	}
	for _, inner := range []string{dir, filepath.Join(dir, "cifar-10-batches-bin")} {
		for _, names := range cifarFiles {
			if _, err := os.Stat(filepath.Join(inner, names[0][0])); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if train, err = readCIFAR(inner, names[0]); err != nil {
				return nil, nil, err
			}
			if test, err = readCIFAR(inner, names[1]); err != nil {
				return nil, nil, err
			}
			standardise(train, test)
			return train, test, nil
		}
	}
	return nil, nil, fmt.Errorf("%s holds neither %s nor %s: the binary version of CIFAR-10 is expected, unpacked from %s",
		dir, cifarFiles[0][0][0], cifarFiles[1][0][0], cifarAddress)
}

// readCIFAR returns the images of files, one after another.
func readCIFAR(dir string, names []string) (*Set, error) {
	s := &Set{Height: cifarSide, Width: cifarSide, Channels: 3, Classes: cifarClasses}
	for _, name := range names {
		path := filepath.Join(dir, name)
		records, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: CIFAR-10 is not whole, download it again from %s", err, cifarAddress)
		}
		if err != nil {
			return nil, err
		}
		if err := s.addCIFAR(records); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return s, nil
}

// addCIFAR adds the images of records, planes turned to channels side by side.
func (s *Set) addCIFAR(records []byte) error {
	if len(records) == 0 || len(records)%cifarRecord != 0 {
		return fmt.Errorf("%d bytes are no whole number of records of %d: the file is cut short or is not of CIFAR-10's binary version (%s)", len(records), cifarRecord, cifarAddress)
	}
	at := len(s.Pixels)
	s.Pixels = append(s.Pixels, make([]byte, len(records)/cifarRecord*3*cifarPlane)...)
	for i := 0; i < len(records)/cifarRecord; i++ {
		record := records[i*cifarRecord:][:cifarRecord]
		label := int(record[0])
		if label >= len(cifarClasses) {
			return fmt.Errorf("record %d (counted from 0) has label %d: 0 to %d are expected, is this the binary version of CIFAR-10?", i, label, len(cifarClasses)-1)
		}
		s.Labels = append(s.Labels, label)
		red, green, blue := record[1:][:cifarPlane], record[1+cifarPlane:][:cifarPlane], record[1+2*cifarPlane:][:cifarPlane]
		for p := range red {
			s.Pixels[at], s.Pixels[at+1], s.Pixels[at+2] = red[p], green[p], blue[p]
			at += 3
		}
	}
	return nil
}
