package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
)

// indices is a flag that names elements of an axis: --datapoints, --neurons. A:B are
// those from A to B−1, from their beginning or to their end where one is left out;
// a list has such ranges and single ones; @FILE.npy is an array of them.
type indices struct {
	text   string // as given; "" where it was not
	ranges []indexRange
	file   string
}

type indexRange struct {
	from, to int // to < 0: to the end
}

// MarshalText returns what was given.
func (x indices) MarshalText() ([]byte, error) { return []byte(x.text), nil }

// UnmarshalText reads "1000:2000", ":2000", "1000:", "0,5,7:9", "@FILE.npy".
func (x *indices) UnmarshalText(text []byte) error {
	given := indices{text: string(text)}
	if file, is := strings.CutPrefix(given.text, "@"); is && file != "" {
		given.file = file
		*x = given
		return nil
	}
	for part := range strings.SplitSeq(given.text, ",") {
		r, ok := parseRange(part)
		if !ok {
			return errors.New("A:B expected, 0 ≤ A < B: A to B−1, counted from 0; or a list, as 0,5,7:9; or @FILE.npy")
		}
		given.ranges = append(given.ranges, r)
	}
	*x = given
	return nil
}

func parseRange(text string) (r indexRange, ok bool) {
	from, to, is := strings.Cut(text, ":")
	var errs [2]error
	if from != "" || !is {
		r.from, errs[0] = strconv.Atoi(from)
	}
	r.to = -1
	switch {
	case !is:
		r.to = r.from + 1
	case to != "":
		r.to, errs[1] = strconv.Atoi(to)
	}
	ok = errors.Join(errs[:]...) == nil && r.from >= 0 && (is && to == "" || r.to > r.from)
	return r, ok
}

// given reports whether the flag was.
func (x indices) given() bool { return x.text != "" }

// holds reports whether the flag names v.
func (x indices) holds(v int) bool {
	return slices.ContainsFunc(x.ranges, func(r indexRange) bool { return v >= r.from && (r.to < 0 || v < r.to) })
}

// of returns the indices of the flag of that name among the n units, such as
// datapoints, of holder.
func (x indices) of(n int, flag, unit, holder string) (all []int, err error) {
	beyond := func() ([]int, error) {
		return nil, fmt.Errorf("%s has %s: --%s %s reaches beyond them", shown(holder), plural(n, unit), flag, shown(x.text))
	}
	if x.file != "" {
		if all, err = activation.OpenIndices(x.file); err != nil {
			return nil, err
		}
	}
	for _, r := range x.ranges {
		to := r.to
		if to < 0 {
			to = n
		}
		if r.from >= n || to > n {
			return beyond()
		}
		all = append(all, interval(r.from, to)...)
	}
	for _, i := range all {
		if i < 0 || i >= n {
			return beyond()
		}
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	for i := range sorted {
		if i > 0 && sorted[i] == sorted[i-1] {
			return nil, fmt.Errorf("--%s %s names %d twice", flag, shown(x.text), sorted[i])
		}
	}
	return all, nil
}

// interval returns from to to−1.
func interval(from, to int) []int {
	all := make([]int, to-from)
	for i := range all {
		all[i] = from + i
	}
	return all
}
