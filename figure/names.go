package figure

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostText bounds texts, in bytes, of which no page shows as many.
const mostText = 4096

// checkText tells what is wrong with a text that what is the name of.
func checkText(what, text string) error {
	if len(text) > mostText {
		return fmt.Errorf("%w: %s begins %q and has %d bytes: at most %d", ErrText, what, text[:20], len(text), mostText)
	}
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

// shorten cuts names wider than room, all in one way: the first under which they
// fit and names that differ still do. What all begin with goes, or what all end
// with, or both; else each loses its middle, and more of one end or the other.
// Where nothing keeps them different, each loses its middle.
func shorten(names []string, size, room float64) []string {
	if widest(names, size) <= room {
		return names
	}
	ways := make([]func(string) string, 0, 10)
	head, tail := sharedEnds(names)
	for _, cut := range [][2]int{{head, 0}, {0, tail}, {head, tail}} {
		if cut != [2]int{} {
			ways = append(ways, func(name string) string { return without(name, cut[0], cut[1]) })
		}
	}
	for _, share := range []float64{0.5, 0.35, 0.65, 0.2, 0.8, 0, 1} {
		ways = append(ways, func(name string) string { return elide(name, size, room, share) })
	}
	different := distinct(names)
	for _, way := range ways {
		short := make([]string, len(names))
		for i, name := range names {
			short[i] = way(name)
		}
		if widest(short, size) <= room && distinct(short) == different {
			return short
		}
	}
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = elide(name, size, room, 0.5)
	}
	return short
}

// sharedEnds returns how many bytes all names begin and end with, in whole parts
// between separators; none of a single name.
func sharedEnds(names []string) (head, tail int) {
	const separators = "./_-: "
	if distinct(names) < 2 {
		return 0, 0
	}
	prefix, suffix := names[0], names[0]
	for _, name := range names {
		for !strings.HasPrefix(name, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
		for !strings.HasSuffix(name, suffix) {
			suffix = suffix[1:]
		}
	}
	head = strings.LastIndexAny(prefix, separators) + 1
	if i := strings.IndexAny(suffix, separators); i >= 0 {
		tail = len(suffix) - i
	}
	return head, tail
}

// without replaces head bytes at a name's start and tail at its end by ellipses.
// It keeps the name where these overlap.
func without(name string, head, tail int) string {
	if head+tail >= len(name) {
		return name
	}
	short := name[head : len(name)-tail]
	if head > 0 {
		short = "…" + short
	}
	if tail > 0 {
		short += "…"
	}
	return short
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
