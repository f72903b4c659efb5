// Package program is what the commands of the experiments have in common: how they end and
// how they show progress.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// Exit statuses, as svcca's.
const (
	Done        = 0
	Failed      = 1
	Misused     = 2
	Interrupted = 130
)

// Work is a command: the answer goes to stdout, everything else to stderr.
type Work func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// Main runs a command with the process's arguments and ends the process. A first interrupt
// ends ctx, a second the process at once.
func Main(name string, work Work) {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is then an error of the write
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, name, work, os.Args[1:], os.Stdout, os.Stderr))
}

// Run returns the exit status of a command, and says on stderr what went wrong.
func Run(ctx context.Context, name string, work Work, args []string, stdout, stderr io.Writer) int {
	err := work(ctx, args, stdout, stderr)
	var misuse *misuse
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return Done
	case errors.Is(err, pflag.ErrHelp):
		return Done
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		text := strings.TrimSuffix(err.Error(), context.Canceled.Error())
		fmt.Fprintf(stderr, "%s: interrupted%s\n", name, strings.TrimSuffix(": "+text, ": "))
		return Interrupted
	case errors.As(err, &misuse):
		fmt.Fprintf(stderr, "%s: %v\nsee %s --help\n", name, err, name)
		return Misused
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return Failed
}

// misuse is an error of the command line.
type misuse struct{ error }

// Misusef returns an error of the command line.
func Misusef(format string, values ...any) error { return &misuse{fmt.Errorf(format, values...)} }

// Flags returns an empty set of flags, whose help begins with intro, and parse, which reads
// them from arguments. Its error is a misuse, or pflag.ErrHelp once help is on stdout.
func Flags(name, intro string, stdout io.Writer) (flags *pflag.FlagSet, parse func(args []string) error) {
	flags = pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.Usage = func() { fmt.Fprintf(stdout, "%s\nFlags:\n%s", intro, flags.FlagUsagesWrapped(80)) }
	return flags, func(args []string) error {
		if err := flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
			return err
		} else if err != nil {
			return &misuse{err}
		}
		if flags.NArg() > 0 {
			return Misusef("%q is not a flag: there is nothing else to give", flags.Arg(0))
		}
		return nil
	}
}
