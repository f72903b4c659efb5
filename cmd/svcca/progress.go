package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how far the work is, and nowhere else.
type progress struct {
	bar          *progressbar.ProgressBar // nil where nothing is shown
	begun, drawn time.Time
	visible      bool
}

const (
	drawEvery = 200 * time.Millisecond // twice, for the text and for the bar
	barSteps  = 1000
)

func newProgress(stderr io.Writer, quiet bool) *progress {
	p := &progress{begun: time.Now()}
	if f, is := stderr.(*os.File); is && !quiet && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(barSteps,
			progressbar.OptionSetWriter(f), progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.ThemeASCII))
	}
	return p
}

// show takes the place of what was shown before.
func (p *progress) show(g svcca.Progress) {
	p.draw(g.Share, func(gone time.Duration) string { return progressText(g, gone) })
}

// draw shows the share of the work that is done, and a text; not too often.
func (p *progress) draw(share float64, text func(gone time.Duration) string) {
	now := time.Now()
	if p.bar == nil || now.Sub(p.drawn) < drawEvery {
		return
	}
	p.drawn, p.visible = now, true
	p.bar.Describe(text(now.Sub(p.begun)))
	_ = p.bar.Set(int(share * (barSteps - 1))) // a terminal that is gone has no progress to show
}

// clear takes the bar away.
func (p *progress) clear() {
	if p.visible {
		p.visible = false
		_ = p.bar.Clear()
	}
}

// progressText says how far work is that has gone on for a time.
func progressText(g svcca.Progress, gone time.Duration) string {
	text := fmt.Sprintf("svcca: %d of %s", g.PairsScored, plural(g.Pairs, "pair"))
	if g.Layers > 0 {
		text = fmt.Sprintf("svcca: %d of %s, %d of %s", g.LayersReduced, plural(g.Layers, "layer"), g.PairsScored, plural(g.Pairs, "pair"))
	}
	if g.Share > 0.01 && gone > time.Second {
		left := time.Duration(float64(gone) * (1 - g.Share) / g.Share)
		text += fmt.Sprintf(", %v left", max(left, time.Second).Round(time.Second))
	}
	return text
}

// screenColumns returns how wide a line may be: as the terminal is behind w, or 80.
func screenColumns(w io.Writer) int {
	if a, is := w.(*answer); is {
		w = a.w
	}
	if f, is := w.(*os.File); is {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return max(width, 40)
		}
	}
	return maxColumns
}
