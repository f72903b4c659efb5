package main

import "github.com/spf13/pflag"

// layerArgs gathers the names of --layers and --against, which may be many: each
// flag takes every argument up to the next of the two. So shells may expand what
// follows them.
type layerArgs struct {
	flags  *pflag.FlagSet
	groups []layerGroup
}

// layerGroup is what was given together.
type layerGroup struct {
	against bool
	args    []string // of the flag itself
	at      int      // how many arguments were before the flag
}

func (a *layerArgs) register(flags *pflag.FlagSet) {
	a.flags = flags
	flags.Var(layerFlag{a, false}, "layers", "rows, as without a flag (default: none)")
	flags.Var(layerFlag{a, true}, "against", "columns (default: the rows)")
}

// sort returns the groups of rows and of columns. args are the arguments that are
// no flags.
func (a *layerArgs) sort(args []string) (layers, against [][]string) {
	first := len(args)
	if len(a.groups) > 0 {
		first = a.groups[0].at
	}
	if first > 0 {
		layers = append(layers, args[:first])
	}
	for i, g := range a.groups {
		end := len(args)
		if i+1 < len(a.groups) {
			end = a.groups[i+1].at
		}
		group := append(g.args, args[g.at:end]...)
		if g.against {
			against = append(against, group)
		} else {
			layers = append(layers, group)
		}
	}
	return layers, against
}

// layerFlag is one of the two flags.
type layerFlag struct {
	to      *layerArgs
	against bool
}

func (f layerFlag) String() string { return "" }
func (f layerFlag) Type() string   { return "FILE…" }

// Set is called in order with the arguments, of which pflag has gathered those
// before it.
func (f layerFlag) Set(value string) error {
	f.to.groups = append(f.to.groups, layerGroup{f.against, []string{value}, f.to.flags.NArg()})
	return nil
}
