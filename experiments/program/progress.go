package program

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows on a terminal how far the work is, and nowhere else.
type Progress struct {
	bar          *progressbar.ProgressBar // nil where nothing is shown
	begun, drawn time.Time
	first        int // steps that were done as it began
}

const drawEvery = 200 * time.Millisecond

// NewProgress returns progress of so many steps, of which some are done already.
func NewProgress(stderr io.Writer, done, steps int) *Progress {
	p := &Progress{begun: time.Now(), first: done}
	if f, is := stderr.(*os.File); is && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(f), progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.ThemeASCII))
	}
	return p
}

// Show says how many steps are done, what is going on, and how long the rest takes.
func (p *Progress) Show(done, steps int, what string) {
	now := time.Now()
	if p.bar == nil || now.Sub(p.drawn) < drawEvery {
		return
	}
	p.drawn = now
	text := fmt.Sprintf("%s, step %d of %d", what, done, steps)
	if gone := now.Sub(p.begun); gone > time.Second && done > p.first {
		left := gone * time.Duration(steps-done) / time.Duration(done-p.first)
		text += fmt.Sprintf(", %v left", max(left, time.Second).Round(time.Second))
	}
	p.bar.Describe(text)
	_ = p.bar.Set(done) // a terminal that is gone has no progress to show
}

// Clear takes the bar away.
func (p *Progress) Clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
