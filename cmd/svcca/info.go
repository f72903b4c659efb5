package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/native"
	"github.com/spf13/cobra"
)

const modulePath = "github.com/gosvcca/gosvcca"

// version returns the module's version, or "devel" and, where the build knows
// it, the revision.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return versionOf(build)
}

func versionOf(build *debug.BuildInfo) string {
	if v := build.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel (" + revision + modified + ")"
}

func newVersion() *cobra.Command {
	return command(&cobra.Command{
		Use:   "version",
		Short: "Tells the version",
		Long:  "Tells the version of this command, or \"devel\" and the revision it is made from.",
		Example: `  svcca version
  svcca info          # what it computes with, too`,
		Args: cobra.NoArgs,
	}, func(cmd *cobra.Command, _ []string) error {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
		return err
	})
}

// infoJSON is what a report of a fault needs.
type infoJSON struct {
	Schema  string      `json:"schema"`
	Module  string      `json:"module"`
	Version string      `json:"version"`
	Go      string      `json:"go"`
	OS      string      `json:"os"`
	Arch    string      `json:"arch"`
	Backend native.Info `json:"backend"`
	Files   []fileJSON  `json:"files,omitempty"`
}

// fileJSON says what a layer's files hold.
type fileJSON struct {
	Name    string   `json:"name"`
	Paths   []string `json:"paths"`
	Shape   []int    `json:"shape"`
	Storage string   `json:"storage"`
}

// readings are the layers that arguments name, and what in archives is none.
func readings(args []string) (files []fileJSON, left []leftOut, err error) {
	inputs, left, err := expandLayers(args)
	if err != nil {
		return nil, nil, err
	}
	for _, in := range inputs {
		l, err := in.open(opening{maps: true, tokens: true})
		if err != nil {
			return nil, nil, err
		}
		files = append(files, fileJSON{in.name, in.paths, l.Shape(), l.Storage()})
		l.Close()
	}
	return files, left, nil
}

// reading says how a layer is read: of feature maps and tokens, in either layout.
func (f fileJSON) reading() []string {
	lines := []string{fmt.Sprintf("%s: %s, %s", shown(f.Name), shapeText(f.Shape), f.Storage)}
	switch len(f.Shape) {
	case 4:
		return append(lines, "  feature maps: "+reading(f.Shape, conv.NHWC), "            or: "+reading(f.Shape, conv.NCHW))
	case 2:
		return append(lines, fmt.Sprintf("  %s × %s", plural(f.Shape[0], "datapoint"), plural(f.Shape[1], "neuron")))
	case 3:
		return append(lines, "  tokens: "+tokensOf(f.Shape, activation.NTD), "      or: "+tokensOf(f.Shape, activation.NCT))
	}
	return append(lines, fmt.Sprintf("  %s of 1 neuron", plural(f.Shape[0], "datapoint")))
}

func newInfo() *cobra.Command {
	asJSON := false
	c := command(&cobra.Command{
		Use:   "info [FILE…]",
		Short: "Tells what computes, or what files hold",
		Long: `Tells what computes: libraries and their versions, kernels, threads. Of files of
layers it tells their sizes, and how feature maps and tokens are read.`,
		Example: `  svcca info
  svcca info a/conv1.npy b.npz`,
		Args: cobra.ArbitraryArgs,
	}, func(cmd *cobra.Command, args []string) error {
		files, left, err := readings(args)
		if err != nil {
			return err
		}
		for _, l := range left {
			complain(cmd.ErrOrStderr(), "no layer: "+l.Reason)
		}
		i := infoJSON{
			Schema: "svcca.info/1", Module: modulePath, Version: version(),
			Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Backend: native.Describe(), Files: files,
		}
		if asJSON {
			return writeJSON(cmd.OutOrStdout(), i)
		}
		p := newPage(localStyle())
		if len(args) > 0 {
			for _, f := range files {
				for _, line := range f.reading() {
					p.line(line)
				}
			}
			return p.writeTo(cmd.OutOrStdout())
		}
		for _, line := range [][2]string{
			{"svcca", i.Version},
			{"module", i.Module},
			{"Go", fmt.Sprintf("%s, %s/%s", i.Go, i.OS, i.Arch)},
			{"backend", i.Backend.Name},
			{"BLAS", i.Backend.BLAS},
			{"LAPACK", i.Backend.LAPACK},
			{"FFT", i.Backend.FFT},
			{"threads", fmt.Sprint(i.Backend.Threads)},
		} {
			p.paragraph(fmt.Sprintf("%-9s", line[0]), "         ", line[1])
		}
		return p.writeTo(cmd.OutOrStdout())
	})
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object (default: readable text)")
	return c
}
