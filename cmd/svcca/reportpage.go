package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/gosvcca/gosvcca/figure"
)

// The page: how it is built, and how it looks.
var (
	//go:embed report.html
	reportHTML string
	//go:embed report.css
	reportCSS string

	reportTemplate = template.Must(template.New("report").Parse(reportHTML))
)

// reportPage is what is to be seen.
type reportPage struct {
	Title, Lead string
	Sections    []reportSection
	Warnings    []string
	Made        reportMade
	CSS         template.CSS
}

// reportSection is one finding: in a sentence, in words, pictures and numbers.
type reportSection struct {
	ID, Topic, Headline string
	Text                []string
	Figures             []reportFigure
	Tables              []reportTable
}

// reportFigure is a picture as wide screens and as narrow ones show it.
type reportFigure struct {
	Wide, Narrow template.HTML
	Caption      string
}

// reportTable has a line of groups of columns above its head, or none.
type reportTable struct {
	Caption string
	Groups  []reportGroup
	Head    []string
	Rows    [][]reportCell // the first cell is the row's name
	Notes   []string
	Marked  bool // some cell has a mark
	Left    bool // texts, not numbers
}

type reportGroup struct {
	Columns int
	Text    string
}

type reportCell struct{ Text, Mark string }

// reportMade says how the page came about.
type reportMade struct {
	Command []string // its arguments, which stay whole where lines break
	Facts   []reportFact
	Inputs  reportTable
}

type reportFact struct {
	Of    string
	Words []string
}

// Widths of figures in points, at reportDPI 720, 440 and 343 pixels: on a screen that is
// wide, or as a small pane needs it there, and on a telephone. Their type is then as large
// as that of tables.
const (
	reportDPI    = 120
	wideFigure   = 720. * 72 / reportDPI
	middleFigure = 440. * 72 / reportDPI
	narrowFigure = 343. * 72 / reportDPI
)

// illustrate adds a picture to the section, as wide as that, and for narrow screens.
func (s *reportSection) illustrate(d drawing, width float64, caption, description string) error {
	draw := func(width float64) (template.HTML, error) {
		var b bytes.Buffer
		err := d.Render(&b, figure.SVG, figure.Page{Width: width, DPI: reportDPI, Inline: true, Name: caption, Description: description})
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.ID, err)
		}
		return template.HTML(b.String()), nil // figure escapes names
	}
	wide, err := draw(width)
	if err != nil {
		return err
	}
	narrow, err := draw(narrowFigure)
	s.Figures = append(s.Figures, reportFigure{wide, narrow, caption})
	return err
}

// cells makes a row of texts.
func cells(texts ...string) (row []reportCell) {
	for _, t := range texts {
		row = append(row, reportCell{Text: t})
	}
	return row
}

// page makes the page of the numbers, and notes its headlines with these.
func (r *reporting) page(j *reportJSON) (*reportPage, error) {
	p := &reportPage{CSS: template.CSS(figure.Style() + reportCSS)}
	if err := r.sections(p, j); err != nil {
		return nil, err
	}
	p.Title = shown(j.Of)
	p.Lead = r.lead(j)
	for _, w := range j.Warnings {
		p.Warnings = append(p.Warnings, shown(w.Text))
	}
	if hint := orderHint(j.Pane.of); hint != "" {
		p.Warnings = append(p.Warnings, hint)
	}
	for i, l := range j.Skipped {
		if i == mostWarnings {
			p.Warnings = append(p.Warnings, fmt.Sprintf("left out: %d more", len(j.Skipped)-i))
			break
		}
		p.Warnings = append(p.Warnings, "left out: "+shown(l.Reason))
	}
	p.Made = r.madeWords(j)
	j.Findings = []string{}
	for _, s := range p.Sections {
		j.Findings = append(j.Findings, s.Headline)
	}
	return p, nil
}

func (p *reportPage) write(w io.Writer) error { return reportTemplate.Execute(w, p) }

// writeWords writes what the page finds, for people at a terminal.
func (p *reportPage) writeWords(w io.Writer, s style) error {
	text := newPage(s)
	text.paragraph("", "", p.Title)
	text.paragraph("", "", p.Lead)
	text.line("")
	for _, section := range p.Sections {
		text.paragraph("- ", "  ", section.Headline)
	}
	for i, warning := range p.Warnings {
		if i == 0 {
			text.line("")
		}
		text.paragraph("Warning: ", "  ", warning)
	}
	return text.writeTo(w)
}

// reportOutput is a file to write: the page, or its numbers.
type reportOutput struct {
	*target
	json bool
}

// targets checks, before any work, that the outputs can be written.
func (r *reporting) targets() (outputs []reportOutput, err error) {
	var args []outputArg
	html := false
	for _, path := range r.outputs {
		args = append(args, outputArg{"-o", path})
		html = html || suffixOf(path) == ".html"
	}
	if !html {
		return nil, misusef("-o %s: the page to write, with .html, is needed, too", shown(strings.Join(r.outputs, ", ")))
	}
	inputs := append([]string{}, r.selectFlags.files(r.own.last())...)
	if r.weights != "" {
		inputs = append(inputs, r.weights)
	}
	for _, l := range []*located{r.own, r.other} {
		if l == nil {
			continue
		}
		for _, c := range l.run {
			for _, in := range c.layers {
				inputs = append(inputs, in.paths...)
			}
		}
	}
	kinds := func(_, suffix string) (noted, known bool) { return false, suffix == ".html" || suffix == ".json" }
	targets, err := newTargets(args, kinds, "with .html or .json", r.force, inputs...)
	for i, t := range targets {
		outputs = append(outputs, reportOutput{t, suffixOf(args[i].path) == ".json"})
	}
	return outputs, err
}

func (o reportOutput) write(p *reportPage, j *reportJSON) error {
	return o.target.write(func(w io.Writer) error {
		if o.json {
			return writeJSON(w, j)
		}
		return p.write(w)
	})
}
