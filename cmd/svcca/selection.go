package main

import (
	"fmt"
	"slices"
	"strings"
)

// selection is what was selected of the files, as JSON has it.
type selection struct {
	Steps []selectionStep `json:"steps"`

	of []int // rows of the first layer's file, by datapoint; nil: all
}

// selectionStep is what one flag did.
type selectionStep struct {
	Flag  string   `json:"flag"`
	Value string   `json:"value,omitempty"`
	Seed  *uint64  `json:"seed,omitempty"`
	Files []string `json:"files,omitempty"`
	Unit  string   `json:"unit"`
	// Of is how many there were: one number, or one for each layer.
	Of   []int `json:"of"`
	Kept int   `json:"kept"`
}

// words say what the step did.
func (s selectionStep) words() string {
	flag := strings.TrimSpace("--" + s.Flag + " " + shown(s.Value))
	if s.Seed != nil {
		flag += fmt.Sprintf(" --seed %d", *s.Seed)
	}
	switch {
	case s.Flag == "nonfinite":
		return fmt.Sprintf("%s: left out %s of %d", flag, plural(s.Of[0]-s.Kept, s.Unit), s.Of[0])
	case s.Flag == "ids":
		return fmt.Sprintf("ids: %d of %s match", s.Kept, s.ofWords())
	}
	return fmt.Sprintf("%s: %d of %s", flag, s.Kept, s.ofWords())
}

// ofWords counts what there was: of more than three layers the least and the most.
func (s selectionStep) ofWords() string {
	last := len(s.Of) - 1
	switch least, most := slices.Min(s.Of), slices.Max(s.Of); {
	case last == 0:
		return plural(most, s.Unit)
	case last > 2:
		return fmt.Sprintf("%d to %s", least, plural(most, s.Unit))
	}
	text := make([]string, last)
	for i := range text {
		text[i] = fmt.Sprint(s.Of[i])
	}
	return strings.Join(text, ", ") + " and " + plural(s.Of[last], s.Unit)
}

// words say what was selected, a sentence a step; nothing where nothing was.
func (s *selection) words() []string {
	var all []string
	if s != nil {
		for _, step := range s.Steps {
			all = append(all, step.words())
		}
	}
	return all
}

// told is what there is to tell: nil where nothing was selected.
func (s *selection) told() *selection {
	if s == nil || len(s.Steps) == 0 {
		return nil
	}
	return s
}

// picked returns those of all, nil for 0, 1, …, that are in rows.
func picked(all, rows []int) []int {
	if all == nil {
		return rows
	}
	some := make([]int, len(rows))
	for i, row := range rows {
		some[i] = all[row]
	}
	return some
}

// repeated returns each of n rows, nil for 0, 1, …, times times.
func repeated(rows []int, n, times int) []int {
	all := make([]int, 0, n*times)
	for i := range n {
		row := i
		if rows != nil {
			row = rows[i]
		}
		for range times {
			all = append(all, row)
		}
	}
	return all
}
