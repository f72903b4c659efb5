package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/schollz/progressbar/v3"
	"github.com/stretchr/testify/assert"
)

// TestProgressCleared: what was shown, of either kind of work, goes away before a
// line is written where it was.
func TestProgressCleared(t *testing.T) {
	for name, show := range map[string]func(*progress){
		"pairs":  func(p *progress) { p.show(svcca.Progress{Share: 0.5}) },
		"rows":   func(p *progress) { p.rows(5, 5, 10) },
		"stream": func(p *progress) { p.rows(5, 5, 0) },
	} {
		var out bytes.Buffer
		p := &progress{begun: time.Now(), bar: progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(&out))}
		p.clear()
		assert.Empty(t, out.String(), name)
		show(p)
		assert.Contains(t, out.String(), "svcca: ", name)
		out.Reset()
		p.clear()
		assert.NotEmpty(t, out.String(), name)
		assert.NotContains(t, out.String(), "svcca: ", name)
	}
}
