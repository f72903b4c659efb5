package figure

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText tells what is wrong with a text that what is the name of.
func checkText(what, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: %s %q: it must be UTF-8", ErrText, what, text)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: %s %q has the character %U", ErrText, what, text, r)
		}
	}
	return nil
}

// checkNames is checkText for names, of which none may be empty.
func checkNames(what string, names []string) error {
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("%w: %s %d of %d is empty: name it", ErrText, what, i+1, len(names))
		}
		if err := checkText(what, name); err != nil {
			return err
		}
	}
	return nil
}

// labels are the names along one side of a pane.
type labels struct {
	// text is shortened to fit; "" where a name is left out for want of room.
	text []string
	size float64
	// extent is the width of the widest.
	extent float64
}

// fitNames sets names one per line, pitch apart, each no wider than room, in type
// no larger than most: in smaller type, then with names left out, then shortened.
func fitNames(names []string, pitch, room, most float64) labels {
	size := min(most, max(leastSize, math.Floor(2*pitch/leading)/2))
	for size > leastSize && widest(names, size) > room {
		size -= 0.5
	}
	every := int(math.Ceil(size * leading / pitch))
	l := labels{text: make([]string, len(names)), size: size}
	var shown []string
	for i := 0; i < len(names); i += every {
		shown = append(shown, names[i])
	}
	for i, text := range shorten(shown, size, room) {
		l.text[i*every] = text
	}
	l.extent = widest(l.text, size)
	return l
}

// fitAcross sets names side by side in cells as wide as pitch, all of them; ok is
// false where that needs type too small.
func fitAcross(names []string, pitch float64) (l labels, ok bool) {
	for size := nameSize; size >= leastSize; size -= 0.5 {
		if w := widest(names, size); w+0.5*size <= pitch {
			return labels{text: names, size: size, extent: w}, true
		}
	}
	return labels{}, false
}

func widest(names []string, size float64) (w float64) {
	for _, name := range names {
		w = max(w, textWidth(name, size))
	}
	return w
}

// shorten replaces the middle of names wider than room by an ellipsis. How much
// is kept of either end is the same for all: the first choice under which names
// that differ still do, half where none does.
func shorten(names []string, size, room float64) []string {
	if widest(names, size) <= room {
		return names
	}
	different := distinct(names)
	var half []string
	for _, head := range []float64{0.5, 0.35, 0.65, 0.2, 0.8, 0, 1} {
		short := make([]string, len(names))
		for i, name := range names {
			short[i] = elide(name, size, room, head)
		}
		if distinct(short) == different {
			return short
		}
		if half == nil {
			half = short
		}
	}
	return half
}

func distinct(names []string) int {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return len(set)
}

// elide shortens text to room, keeping the share head of what fits at its start
// and the rest at its end.
func elide(text string, size, room, head float64) string {
	if textWidth(text, size) <= room {
		return text
	}
	letters := []rune(text)
	short := func(keep int) string {
		first := int(math.Round(head * float64(keep)))
		return string(letters[:first]) + "…" + string(letters[len(letters)-keep+first:])
	}
	tooMany := sort.Search(len(letters), func(keep int) bool { return textWidth(short(keep), size) > room })
	return short(max(0, tooMany-1))
}

// wrap breaks text between words into lines no wider than room. A word that is
// wider is elided.
func wrap(text string, size, room float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		word = elide(word, size, room, 0.5)
		switch longer := line + " " + word; {
		case line == "":
			line = word
		case textWidth(longer, size) <= room:
			line = longer
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
