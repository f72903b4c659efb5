package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxColumns is the widest line that is written.
const maxColumns = 80

// style is how the terminal takes text.
type style struct{ ascii bool }

// localStyle returns the style of the locale: by its rules the first of three
// variables that is set decides, and where none is it is ASCII.
func localStyle() style {
	if runtime.GOOS == "windows" {
		return style{}
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(os.Getenv(name)); v != "" {
			return style{ascii: !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")}
		}
	}
	return style{ascii: true}
}

var asciiWords = strings.NewReplacer("×", "x", "ρ", "rho", "²", "^2", "±", "+/-", "…", "...", "−", "-", "→", "->", "·", ".")

// text returns t in letters that the terminal has: those of our own words.
func (s style) text(t string) string {
	if s.ascii {
		return asciiWords.Replace(t)
	}
	return t
}

// page gathers lines and writes them at once.
type page struct {
	style
	b strings.Builder
}

func newPage(s style) *page { return &page{style: s} }

// line adds a line.
func (p *page) line(s string) {
	p.b.WriteString(strings.TrimRight(p.text(s), " "))
	p.b.WriteByte('\n')
}

// paragraph adds text in lines, the first behind first, the others behind rest.
func (p *page) paragraph(first, rest, text string) {
	for _, l := range wrap(p.text(text), maxColumns-max(columns(first), columns(rest))) {
		p.line(first + l)
		first = rest
	}
}

// grid writes a table, its columns one space apart where two leave no room.
func (p *page) grid(grid [][]string, width int) {
	gap := 2
	if columns(aligned(grid, gap)[0]) > width {
		gap = 1
	}
	for _, line := range aligned(grid, gap) {
		p.line(line)
	}
}

func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}

// wrap breaks text at spaces into lines of at most limit columns. A word that is
// longer than a line is broken too.
func wrap(text string, limit int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && columns(line)+1+columns(word) <= limit {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for columns(word) > limit {
			head := prefix(word, limit)
			lines = append(lines, head)
			word = word[len(head):]
		}
		line = word
	}
	return append(lines, line)
}

// shown returns s with everything that does not print, such as newlines and
// escape sequences in names of files, in the notation of Go strings.
func shown(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		s = s[size:]
	}
	return b.String()
}

// columns returns how many columns of a terminal s takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns returns 0 for marks that combine with the letter before, 2 for
// the wide letters of East Asia and pictures, else 1.
func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3,
		r >= 0xF900 && r <= 0xFAFF, r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60,
		r >= 0xFFE0 && r <= 0xFFE6, r >= 0x1F300 && r <= 0x1FAFF, r >= 0x20000 && r <= 0x3FFFD:
		return 2
	}
	return 1
}

// prefix returns as much of the beginning of s as fits limit columns, of a text
// that is not empty at least one letter.
func prefix(s string, limit int) string {
	width := 0
	for i, r := range s {
		if width += runeColumns(r); width > limit && i > 0 {
			return s[:i]
		}
	}
	return s
}

// shorten returns s in at most limit columns, with the middle left out: the ends
// of a path tell most.
func (st style) shorten(s string, limit int) string {
	if columns(s) <= limit {
		return s
	}
	dots := st.text("…")
	room := limit - columns(dots)
	head := prefix(s, room/3)
	// The tail is what is left after dropping letters from the front.
	tail := s[len(head):]
	for i := range s {
		if i >= len(head) && columns(s[i:]) <= room-columns(head) {
			tail = s[i:]
			break
		}
	}
	return head + dots + tail
}

// alignRight returns s in width columns, spaces before it.
func alignRight(s string, width int) string {
	return strings.Repeat(" ", max(0, width-columns(s))) + s
}

// alignLeft returns s in width columns, spaces after it.
func alignLeft(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}
