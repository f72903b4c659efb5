//go:build !purego

// Pages are the same whatever computes their numbers: one backend opens them.

package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser finds Chromium, or skips the test.
func browser(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, stderr, err := open(t, path, "about:blank", "light", "--dump-dom"); err != nil {
			t.Skipf("%s does not start here: %v\n%s", path, err, stderr)
		}
		return path
	}
	t.Skip("needs chromium, chromium-browser or google-chrome")
	return ""
}

// browse opens a file without a screen, light or dark, and returns what stands in its
// console and the page as it is then.
func browse(t *testing.T, chromium, path, scheme string, flags ...string) (page, console string) {
	t.Helper()
	page, stderr, err := open(t, chromium, "file://"+path, scheme, flags...)
	require.NoError(t, err, stderr)
	for line := range strings.Lines(stderr) {
		if strings.Contains(line, "CONSOLE") {
			console += line
		}
	}
	return page, console
}

// open runs the browser.
func open(t *testing.T, chromium, address, scheme string, flags ...string) (stdout, stderr string, err error) {
	t.Helper()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions", "--no-first-run", "--user-data-dir=" + t.TempDir(),
		"--blink-settings=preferredColorScheme=" + map[string]string{"dark": "0", "light": "1"}[scheme],
		"--enable-logging=stderr", "--virtual-time-budget=20000", "--timeout=60000",
	}, flags...)
	c := exec.Command(chromium, append(args, address)...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err = c.Run()
	return out.String(), said.String(), err
}

// measurePage measures pages, by a script of its own.
//
//go:embed testdata/measure.html
var measurePage string

// seenPage is what testdata/measure.html finds of a page at a width.
type seenPage struct {
	Name                                   string
	Width, ContentWidth, Height            float64
	Paper                                  string
	Resources, Faint, Overlapping, Outside []string
	Figures                                []struct{ Width, Height, Least float64 }
}

// browsed are pages of all kinds, by names.
func browsed(t *testing.T) map[string][]byte {
	t.Helper()
	pages := map[string][]byte{}
	make := func(name string, args ...string) {
		file := filepath.Join(t.TempDir(), "r.html")
		status, _, stderr := call(t, append([]string{"report", "-o", file, "--quiet"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		pages[name] = read(t, file)
	}
	classNets(t)
	make("network", "a", "--against", "b", "--hashes")
	trains(t, byStep)
	make("training", "run", "--layers", "z,b,a")
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("net", 0o700))
	for i, name := range []string{`<script>alert(1)<`, `"><img src=x onerror=alert(1)>`, strings.Repeat("long", 50), "logits"} {
		save(t, "net/plain.npy", gaussian(uint64(i), 40, 3))
		if os.Rename("net/plain.npy", "net/"+name+".npy") != nil {
			t.Skip("this file system has no such names")
		}
	}
	make("names", "net", "--against", "net")
	require.NoError(t, os.Mkdir("many", 0o700))
	for i := range 40 {
		save(t, fmt.Sprintf("many/l%d.npy", i), gaussian(uint64(i), 9, 5))
	}
	make("many", "many")
	return pages
}

// TestReportInBrowser: the pages are sound in a browser, on screens wide and narrow, light
// and dark.
func TestReportInBrowser(t *testing.T) {
	chromium := browser(t)
	pages := browsed(t)
	file := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	t.Run("console", func(t *testing.T) {
		dom, console := browse(t, chromium, file("page.html", pages["names"]), "light", "--dump-dom")
		assert.Empty(t, console)
		assert.True(t, strings.Contains(dom, "<h1>net</h1>"))
		assert.Empty(t, regexp.MustCompile(`(?i)<(script|img|iframe|object|embed)[ >]|(href|src)="[^#d"]`).FindString(dom))
		// The same page that asks for more is refused it, and says so.
		asks := bytes.Replace(pages["names"], []byte("</h1>"), []byte(`</h1><img src="https://example.com/x.png"/><script>document.title = "ran"</script>`), 1)
		dom, console = browse(t, chromium, file("asks.html", asks), "light", "--dump-dom")
		assert.Contains(t, console, "Content Security Policy")
		assert.Contains(t, console, "example.com")
		assert.False(t, strings.Contains(dom, "<title>ran</title>"))
	})
	for scheme, paper := range map[string]color.RGBA{"light": {255, 255, 255, 255}, "dark": darkPaper} {
		t.Run(scheme, func(t *testing.T) {
			for _, m := range look(t, chromium, scheme, pages) {
				checkMeasured(t, m, paper)
			}
		})
	}
	t.Run("pixels", func(t *testing.T) {
		shot := filepath.Join(t.TempDir(), "shot.png")
		browse(t, chromium, file("page.html", pages["network"]), "dark", "--window-size=1600,1200", "--screenshot="+shot)
		f, err := os.Open(shot)
		require.NoError(t, err)
		defer f.Close()
		img, err := png.Decode(f)
		require.NoError(t, err)
		assert.Equal(t, 1600, img.Bounds().Dx())
		assert.Equal(t, darkPaper, color.RGBAModel.Convert(img.At(2, 2)))
		colours := map[color.Color]bool{}
		for y := range img.Bounds().Dy() {
			for x := range 1600 {
				colours[img.At(x, y)] = true
			}
		}
		assert.Greater(t, len(colours), 100, "figures")
	})
}

// darkPaper is the page's where the reader's screen is dark.
var darkPaper = color.RGBA{0x16, 0x18, 0x1C, 255}

// TestReferenceInBrowser: so are those of the reference networks.
func TestReferenceInBrowser(t *testing.T) {
	chromium := browser(t)
	folder := reference.Folder(t)
	pages := map[string][]byte{}
	for name, args := range map[string]string{
		"digits":   "digits/a --layers fc1,fc2,fc3,logits --against digits/b",
		"conv":     "conv/a --layers conv1,conv2,pool,conv3,fc,logits --conv dft",
		"dynamics": "dynamics --layers lin1,bn1,lin2,bn2,lin3,bn3,logits",
	} {
		t.Chdir(folder)
		file := filepath.Join(t.TempDir(), "r.html")
		status, _, stderr := call(t, append([]string{"report", "-o", file, "--quiet"}, strings.Fields(args)...)...)
		require.Equal(t, exitDone, status, stderr)
		pages[name] = read(t, file)
	}
	for _, m := range look(t, chromium, "dark", pages) {
		checkMeasured(t, m, darkPaper)
	}
}

// look opens pages in a browser, narrow and wide.
func look(t *testing.T, chromium, scheme string, pages map[string][]byte) (all []seenPage) {
	t.Helper()
	texts := map[string]string{}
	for name, page := range pages {
		texts[name] = string(page)
	}
	data, err := json.Marshal(texts) // which escapes </script>
	require.NoError(t, err)
	harness := strings.NewReplacer("PAGES, widths", string(data)+", widths", "WIDTHS\n", "[375, 800, 1600]\n").Replace(measurePage)
	path := filepath.Join(t.TempDir(), "measure.html")
	require.NoError(t, os.WriteFile(path, []byte(harness), 0o600))
	var m []string
	for attempt := 0; attempt < 3 && m == nil; attempt++ { // on a busy machine it may be over before all is measured
		dom, console := browse(t, chromium, path, scheme, "--dump-dom")
		assert.Empty(t, console)
		m = regexp.MustCompile(`<pre id="measured">(.+)</pre>`).FindStringSubmatch(dom)
	}
	require.NotNil(t, m, "the page was not measured")
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(m[1])), &all))
	require.Len(t, all, 3*len(pages))
	return all
}

// checkMeasured makes sure that all can be read.
func checkMeasured(t *testing.T, m seenPage, paper color.RGBA) {
	t.Helper()
	at := fmt.Sprintf("%s at %.0f", m.Name, m.Width)
	assert.LessOrEqual(t, m.ContentWidth, m.Width, at)
	assert.Greater(t, m.Height, 1000., at)
	assert.Equal(t, fmt.Sprintf("rgb(%d, %d, %d)", paper.R, paper.G, paper.B), m.Paper, at)
	assert.Empty(t, m.Resources, at)
	assert.Empty(t, m.Faint, "%s: contrast below 4.5 to 1", at)
	assert.Empty(t, m.Overlapping, at)
	assert.Empty(t, m.Outside, at)
	assert.NotEmpty(t, m.Figures, at)
	for _, f := range m.Figures {
		assert.Greater(t, f.Width, 200., at)
		assert.Greater(t, f.Height, 100., at)
		assert.GreaterOrEqual(t, f.Least, 9.5, "%s: type in pixels", at)
	}
}
