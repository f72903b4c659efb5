package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

// mergeSums merges files of sums.
func (f *momentsFlags) mergeSums(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return misusef("files of sums are needed: %s", cmd.UseLine())
	case f.out == "":
		return misusef("-o OUT.sums is needed")
	}
	err := refuse(cmd, "--merge, as sums are of what they were made of",
		append(slices.Clone(selectNames), "layout", "weights", "split", "triangle", "precision", "transpose", "resume", "json")...)
	if err != nil {
		return err
	}
	var out *target
	if f.out != "-" {
		if out, err = newTarget(f.out, f.force, args...); err != nil {
			return err
		}
	}
	var all sums
	n := 0
	var inputs []inputJSON
	var parts []json.RawMessage
	seen := map[[sha256.Size]byte]string{}
	for i, path := range args {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		s, head, data, err := readSums(path, f.memory)
		if err != nil {
			return err
		}
		in, err := f.describe(cmd.Context(), path, path)
		if err != nil {
			return err
		}
		inputs, parts = append(inputs, in), append(parts, head.parts()...)
		digest := sha256.Sum256(sumsValues(data))
		if before, twice := seen[digest]; twice {
			return fmt.Errorf("%s holds the same sums as %s: rows count once: leave one out", shown(path), shown(before))
		}
		seen[digest] = path
		n += head.Datapoints
		if i == 0 {
			all = s
			continue
		}
		if err := all.merge(s); err != nil {
			return fmt.Errorf("%s does not fit %s: %w", shown(path), shown(args[0]), err)
		}
	}
	data, err := all.of.MarshalBinary()
	if err != nil {
		return err
	}
	made := f.making(cmd.Context(), inputs)
	made.Parts = parts
	p := newProvenance(made, map[string]bool{"merge": true}, nil)
	if out == nil {
		return writeSums(cmd.OutOrStdout(), data, p)
	}
	err = out.write(func(w io.Writer) error { return writeSums(w, data, p) })
	if err != nil {
		return err
	}
	f.notice(cmd, "wrote %s: sums over %s", shown(out.path), plural(n, "datapoint"))
	return nil
}
