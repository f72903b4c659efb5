package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitMisused     = 2
	exitInterrupted = 130
)

// run is the command, whole: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &answer{w: stdout}
	root := newRoot()
	root.SetArgs(append([]string{}, args...))
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.WithValue(ctx, commandKey{}, args))
	if out.err != nil {
		err = out.failure()
	}
	var failed *failure
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // nobody reads on: nothing is wrong
		return exitDone
	case ctx.Err() != nil:
		complain(stderr, "interrupted")
		return exitInterrupted
	case errors.As(err, &failed):
		complain(stderr, message(failed.error))
		return exitFailed
	}
	of := cmd.CommandPath()
	if cmd.Name() == "help" {
		of = root.Name()
	}
	complain(stderr, message(err)+"\nsee "+of+" --help")
	return exitMisused
}

// answer is standard output. It keeps the first error, so that no command has
// to look, and none exits 0 when its answer went nowhere.
type answer struct {
	w   io.Writer
	err error
}

func (a *answer) Write(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.w.Write(p)
	a.err = err
	return n, err
}

// failure returns the error that was kept.
func (a *answer) failure() error {
	err := a.err
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // without /dev/stdout, which it calls itself
	}
	return &failure{fmt.Errorf("writing to standard output: %w", err)}
}

// complain writes text to standard error, each line with the command's name.
func complain(stderr io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(stderr, "svcca: %s\n", localStyle().text(shown(strings.TrimSuffix(line, "\n"))))
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "svcca COMMAND",
		Short: "Tells how alike two layers of neural networks are, by SVCCA",
		Long: `Tells how alike two layers of neural networks are, from their activations on
the same inputs (Singular Vector Canonical Correlation Analysis).`,
		Example: `  svcca demo
  svcca compare a/layer3.npy b/layer3.npy`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			if err := cmd.Help(); err != nil {
				return err
			}
			return errors.New("a command is needed")
		},
	}
	root.DisableFlagsInUseLine = true
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpFunc(help)
	root.SetFlagErrorFunc(suggestFlag)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newCompare(), newMatrix(), newDims(), newClasses(), newDynamics(), newFreeze(), newProject(), newCompress(), newReport(), newMoments(),
		newDemo(), newInfo(), newVersion(), newSelection(), newPictures())
	for _, c := range append(root.Commands(), root) {
		c.Flags().BoolP("help", "h", false, "show this help")
	}
	return root
}

// command returns c, which does what work does. Errors of work are failures,
// unless they are a misuse; all other errors, which are cobra's, are misuses.
func command(c *cobra.Command, work func(cmd *cobra.Command, args []string) error) *cobra.Command {
	c.DisableFlagsInUseLine = true
	c.Flags().SortFlags = false
	c.RunE = func(cmd *cobra.Command, args []string) error {
		err := work(cmd, args)
		var misused *misuse
		if err == nil || errors.As(err, &misused) {
			return err
		}
		return &failure{err}
	}
	return c
}

// help writes examples first: that is what most come for.
func help(cmd *cobra.Command, _ []string) {
	w := &strings.Builder{}
	defer func() { fmt.Fprint(cmd.OutOrStdout(), localStyle().text(w.String())) }()
	fmt.Fprintf(w, "Examples:\n%s\n\n%s\n", cmd.Example, cmd.Long)
	if cmd.Runnable() {
		fmt.Fprintf(w, "\nUsage:\n  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintln(w, "\nCommands:")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-9s  %s\n", sub.Name(), sub.Short)
			}
		}
		fmt.Fprintln(w, "\nsvcca COMMAND --help says more about one.")
		return
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(maxColumns))
	}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Shows the help of a command",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err == nil && of == cmd.Root() {
				err = knownCommand(of, rest)
			}
			if err != nil {
				return err
			}
			return of.Help()
		},
	}
}

// knownCommand is an error where arguments are left that name no command.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%w: did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}

// twoFiles is an error where there are not two arguments.
func twoFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 2 {
		return nil
	}
	return fmt.Errorf("two files are needed, %d given: %s", len(args), cmd.UseLine())
}

// suggestFlag adds to an error about a flag the one that was meant.
func suggestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			return fmt.Errorf("%w: did you mean --%s?", err, near)
		}
	}
	return err
}
