package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/svcca/compress"
)

// sizes is a flag, --size: how many directions compressed layers keep, by one rule or by
// several.
type sizes []compress.Size

func (s *sizes) String() string { return "" }
func (s *sizes) Type() string   { return "SIZE" }

var sizesPattern = regexp.MustCompile(`^(\w+)\((.*)\)$`)

// Set reads "all", or "neurons(0.35)" or "parameters(0.1,0.2,0.35)", and adds them.
func (s *sizes) Set(text string) error {
	rules := []string{text}
	if parts := sizesPattern.FindStringSubmatch(text); parts != nil {
		rules = nil
		for share := range strings.SplitSeq(parts[2], ",") {
			rules = append(rules, parts[1]+"("+strings.TrimSpace(share)+")")
		}
	}
	for _, rule := range rules {
		size, err := compress.ParseSize(rule)
		if err != nil {
			return fmt.Errorf("%s", message(err))
		}
		if slices.Contains(*s, size) {
			return fmt.Errorf("%v is there twice", size)
		}
		*s = append(*s, size)
	}
	return nil
}

// words are the sizes as flags, those of one rule in one.
func (s sizes) words() string {
	var flags []string
	for _, size := range s {
		text := size.String()
		rule, share, _ := strings.Cut(text, "(")
		if last := len(flags) - 1; last >= 0 && share != "" && strings.HasPrefix(flags[last], rule+"(") {
			flags[last] = strings.TrimSuffix(flags[last], ")") + "," + share
			continue
		}
		flags = append(flags, text)
	}
	for i, text := range flags {
		flags[i] = "--size " + quoted(text)
	}
	return strings.Join(flags, " ")
}

// origin is a flag, --from: which activations directions come from.
type origin compress.From

// MarshalText returns "compressed" or "original".
func (o origin) MarshalText() ([]byte, error) {
	if compress.From(o) == compress.FromOriginal {
		return []byte("original"), nil
	}
	return []byte("compressed"), nil
}

// UnmarshalText reads what MarshalText returns.
func (o *origin) UnmarshalText(text []byte) error {
	switch string(text) {
	case "compressed":
		*o = origin(compress.FromCompressed)
	case "original":
		*o = origin(compress.FromOriginal)
	default:
		return fmt.Errorf("compressed or original expected")
	}
	return nil
}
