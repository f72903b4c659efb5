//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// needsTorch skips a test where there is no PyTorch, or no time for it.
func needsTorch(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("PyTorch takes seconds to load")
	}
	if err := exec.Command(python, "-c", "import numpy, torch").Run(); err != nil {
		t.Skipf("needs torch and numpy in %s: %v", python, err)
	}
}

const scripts = "../../scripts"

// TestExporter runs the Python tests of scripts/export_activations.py.
func TestExporter(t *testing.T) {
	needsTorch(t)
	c := exec.Command(python, "-W", "ignore", "-B", "-m", "unittest", "-v", "test_export_activations")
	c.Dir = scripts
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Logf("%s", out)
	assert.Contains(t, string(out), "\nOK\n")
}

// block is a fenced one of a page: what is behind the fence, and the lines.
type block struct{ info, text string }

var fenced = regexp.MustCompile("(?ms)^```([^\n]+)\n(.*?)^```$")

// sections returns the blocks of a page by the headings that they are under.
func sections(page string) map[string][]block {
	found := map[string][]block{}
	for _, part := range strings.Split(page, "\n## ")[1:] {
		title, rest, _ := strings.Cut(part, "\n")
		for _, m := range fenced.FindAllStringSubmatch(rest, -1) {
			found[title] = append(found[title], block{m[1], m[2]})
		}
	}
	return found
}

// TestExportPage runs the examples of docs/export.md: Python files as their first lines
// name them, and what is typed at a shell.
func TestExportPage(t *testing.T) {
	needsTorch(t)
	page := string(read(t, "../../docs/export.md"))
	exporter := read(t, filepath.Join(scripts, "export_activations.py"))
	self, err := os.Executable()
	require.NoError(t, err)
	examples := sections(page)
	require.Len(t, examples, 3)
	for title, blocks := range examples {
		t.Run(title, func(t *testing.T) {
			dir, bin := t.TempDir(), t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "export_activations.py"), exporter, 0o600))
			require.NoError(t, os.Symlink(python, filepath.Join(bin, "python3")))
			svcca := fmt.Sprintf("#!/bin/sh\n%s=0 exec %s \"$@\"\n", asCommand, shellQuoted(self))
			require.NoError(t, os.WriteFile(filepath.Join(bin, "svcca"), []byte(svcca), 0o700))
			ran := map[string]int{}
			for _, b := range blocks {
				ran[b.info]++
				switch b.info {
				case "python":
					name, is := strings.CutPrefix(strings.SplitN(b.text, "\n", 2)[0], "# ")
					require.True(t, is, "the first line names the file")
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(b.text), 0o600))
				case "sh":
					c := exec.Command("/bin/sh", "-e", "-c", b.text)
					c.Dir = dir
					c.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1")
					out, err := c.CombinedOutput()
					require.NoError(t, err, "%s\n%s", b.text, out)
					t.Logf("%s%s", b.text, out)
				default:
					t.Logf("not run: %s", b.info)
				}
			}
			assert.Positive(t, ran["python"])
			assert.Positive(t, ran["sh"])
			left, err := filepath.Glob(filepath.Join(dir, "*", ".*"))
			require.NoError(t, err)
			assert.Empty(t, left, "hidden directories in which exporting works")
		})
	}
}
