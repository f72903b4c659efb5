// Package claims puts what an experiment measured beside what the paper says of it.
//
//	all := claims.List{{
//		Name:     "few directions do",
//		Paper:    "25 of 512 directions of fc1 nearly match all of them",
//		Measured: fmt.Sprintf("%d of %d are within one point", k, d),
//		Holds:    10*k <= d,
//	}}
//	err := all.Write(stdout)
//
// A claim that does not hold is a finding, not an error: commands say so and end well. Tests
// ask Failed.
package claims

import (
	"fmt"
	"io"
	"strings"
)

// Claim is one statement about an experiment.
type Claim struct {
	Name string `json:"name"`
	// Paper is what the paper says, in its words or nearly.
	Paper string `json:"paper"`
	// Measured is what came out here, with numbers.
	Measured string `json:"measured"`
	// Holds tells whether that agrees with the paper, by a rule that the command has and that
	// Measured lets the reader see.
	Holds bool `json:"holds"`
}

// List is the claims of one experiment.
type List []Claim

// Write writes the claims as text for people, each with the paper's words and what was
// measured below it.
func (l List) Write(w io.Writer) error {
	var text strings.Builder
	for _, c := range l {
		verdict := "holds"
		if !c.Holds {
			verdict = "DOES NOT HOLD"
		}
		fmt.Fprintf(&text, "%s: %s\n  paper     %s\n  measured  %s\n", c.Name, verdict, c.Paper, c.Measured)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Failed returns the names of claims that do not hold.
func (l List) Failed() (names []string) {
	for _, c := range l {
		if !c.Holds {
			names = append(names, c.Name)
		}
	}
	return names
}
