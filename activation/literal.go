package activation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// fields are the three entries of the dictionary in a .npy header.
type fields struct {
	descr   string
	fortran bool
	shape   []int
}

// maxDimensions is more than any numpy makes, and bounds what a header of
// commas can make us allocate.
const maxDimensions = 64

// parseFields reads the dictionary: a Python literal such as
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (1797, 128), }
//
// with its keys in any order, either quote, free white space, an optional last
// comma, and the suffix L that Python 2 gave to long integers. Numpy writes no
// other form, and no other is accepted.
func parseFields(text string) (fields, error) {
	var f fields
	seen := map[string]bool{}
	l := &literal{text: text}
	if err := l.expect('{'); err != nil {
		return fields{}, err
	}
	for !l.accept('}') {
		key, err := l.quoted()
		if err != nil {
			return fields{}, err
		}
		if seen[key] {
			return fields{}, fmt.Errorf("the key %s is there twice", clip(key))
		}
		seen[key] = true
		if err := l.expect(':'); err != nil {
			return fields{}, err
		}
		switch key {
		case "descr":
			f.descr, err = l.descr()
		case "fortran_order":
			f.fortran, err = l.boolean()
		case "shape":
			f.shape, err = l.tuple()
		default:
			err = fmt.Errorf("the key %s is unknown", clip(key))
		}
		if err != nil {
			return fields{}, err
		}
		if l.accept(',') {
			continue
		}
		if err := l.expect('}'); err != nil {
			return fields{}, err
		}
		break
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return fields{}, fmt.Errorf("the key %q is missing", key)
		}
	}
	if l.skip(); l.at < len(l.text) {
		return fields{}, l.unexpected("the end")
	}
	return f, nil
}

// literal is a cursor over the text of a Python literal.
type literal struct {
	text string
	at   int
}

func (l *literal) skip() {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n\f", l.text[l.at]) >= 0 {
		l.at++
	}
}

// accept steps over c, and white space before it, if c is next.
func (l *literal) accept(c byte) bool {
	l.skip()
	if l.at < len(l.text) && l.text[l.at] == c {
		l.at++
		return true
	}
	return false
}

func (l *literal) expect(c byte) error {
	if !l.accept(c) {
		return l.unexpected(strconv.QuoteRune(rune(c)))
	}
	return nil
}

func (l *literal) unexpected(wanted string) error {
	if l.at >= len(l.text) {
		return fmt.Errorf("%s expected, found the end", wanted)
	}
	return fmt.Errorf("%s expected at byte %d, found %s", wanted, l.at, clip(l.text[l.at:]))
}

// quoted reads a string in single or double quotes. None that matters has an
// escape in it, so a backslash is refused rather than understood.
func (l *literal) quoted() (string, error) {
	for _, quote := range []byte{'\'', '"'} {
		if !l.accept(quote) {
			continue
		}
		length := strings.IndexByte(l.text[l.at:], quote)
		if length < 0 {
			return "", errors.New("a string has no end")
		}
		s := l.text[l.at : l.at+length]
		if strings.ContainsAny(s, "\\\n") {
			return "", fmt.Errorf("the string %s holds an escape or a line break", clip(s))
		}
		l.at += length + 1
		return s, nil
	}
	return "", l.unexpected("a string")
}

func (l *literal) descr() (string, error) {
	if l.skip(); l.at < len(l.text) && strings.IndexByte("[({", l.text[l.at]) >= 0 {
		return "", errors.New("elements are records with fields (a structured dtype): save each field as an array of its own, as float32")
	}
	return l.quoted()
}

func (l *literal) boolean() (bool, error) {
	l.skip()
	for _, word := range []string{"True", "False"} {
		if strings.HasPrefix(l.text[l.at:], word) {
			l.at += len(word)
			return word == "True", nil
		}
	}
	return false, l.unexpected("True or False")
}

// tuple reads a tuple of sizes. As in Python (5) is no tuple, but (5,) is.
func (l *literal) tuple() ([]int, error) {
	if err := l.expect('('); err != nil {
		return nil, err
	}
	sizes := []int{}
	for comma := true; !l.accept(')'); {
		if !comma {
			return nil, l.unexpected("',' or ')'")
		}
		size, err := l.size()
		if err != nil {
			return nil, err
		}
		if sizes = append(sizes, size); len(sizes) > maxDimensions {
			return nil, fmt.Errorf("the shape has more than %d dimensions", maxDimensions)
		}
		if comma = l.accept(','); !comma && len(sizes) == 1 {
			return nil, l.unexpected("','")
		}
	}
	return sizes, nil
}

func (l *literal) size() (int, error) {
	negative := l.accept('-')
	start := l.at
	for l.at < len(l.text) && '0' <= l.text[l.at] && l.text[l.at] <= '9' {
		l.at++
	}
	digits := l.text[start:l.at]
	switch {
	case digits == "":
		return 0, l.unexpected("a size")
	case negative:
		return 0, fmt.Errorf("the shape has the negative size -%s", strings.Trim(clip(digits), `"`))
	}
	size, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("the shape has the size %s, which no array has", strings.Trim(clip(digits), `"`))
	}
	if l.at < len(l.text) && l.text[l.at] == 'L' {
		l.at++
	}
	return size, nil
}
