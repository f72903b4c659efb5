//go:build unix

package main

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updatePictures = flag.Bool("update-pictures", false, "write the pictures of docs/tutorial.md anew (TestTutorial)")

// typed is what a page shows of a terminal: a command, and what it says.
type typed struct{ command, answer string }

var (
	terminal = regexp.MustCompile("(?ms)^```\n(\\$ .*?)^```$")
	picture  = regexp.MustCompile(`!\[[^\]]+\]\(([^)]+)\)`)
	bound    = regexp.MustCompile(`\d\.?\d*e[−-]\d+`)
)

// terminals returns the commands of a page, in order. A command goes on behind a \.
func terminals(page string) (all []typed) {
	for _, block := range terminal.FindAllStringSubmatch(page, -1) {
		for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			part = strings.TrimSuffix(part, "\n")
			command, answer, _ := strings.Cut(strings.ReplaceAll(part, "\\\n", ""), "\n")
			all = append(all, typed{command, answer})
		}
	}
	return all
}

// pattern matches what a page shows: […] is left out there, error bounds hang on the
// machine.
func pattern(answer string) string {
	var lines []string
	for _, line := range strings.Split(answer, "\n") {
		if line == "[…]" {
			lines = append(lines, `(?s:.*?)`)
			continue
		}
		parts := bound.Split(line, -1)
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		lines = append(lines, strings.Join(parts, bound.String()))
	}
	return `^` + strings.Join(lines, "\n") + `\n?$`
}

const tutorial = "../../docs/tutorial.md"

// TestTutorial: what the tutorial shows is what the commands say, and the pictures are
// those that they draw.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("every command of the tutorial")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	bin := t.TempDir()
	shim := fmt.Sprintf("#!/bin/sh\n%s=0 exec %s \"$@\"\n", asCommand, shellQuoted(self))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "svcca"), []byte(shim), 0o700))
	page := string(read(t, tutorial))
	dir := t.TempDir()
	commands := terminals(page)
	require.NotEmpty(t, commands)
	for _, c := range commands {
		if to, is := strings.CutPrefix(c.command, "cd "); is {
			dir = filepath.Join(dir, to)
			continue
		}
		sh := exec.Command("bash", "-e", "-c", c.command)
		sh.Dir = dir
		sh.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin", "LC_ALL=C.UTF-8", "COLUMNS=80")
		var said, complained strings.Builder
		sh.Stdout, sh.Stderr = &said, &complained
		require.NoError(t, sh.Run(), "%s\n%s", c.command, complained.String())
		assert.Regexp(t, pattern(c.answer), said.String(), c.command)
	}
	pictures := picture.FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, pictures)
	for _, m := range pictures {
		shown, drawn := filepath.Join(filepath.Dir(tutorial), m[1]), filepath.Join(dir, filepath.Base(m[1]))
		if *updatePictures {
			require.NoError(t, os.WriteFile(shown, read(t, drawn), 0o644))
		}
		assert.Equal(t, texts(t, drawn), texts(t, shown), m[1])
	}
}

// texts returns the words and numbers of an SVG.
func texts(t *testing.T, path string) (all []string) {
	d := xml.NewDecoder(strings.NewReader(string(read(t, path))))
	within := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			require.NotEmpty(t, all, path)
			return all
		}
		require.NoError(t, err, path)
		switch token := token.(type) {
		case xml.StartElement:
			within = token.Name.Local == "text"
		case xml.CharData:
			if within {
				all = append(all, string(token))
			}
		}
	}
}
