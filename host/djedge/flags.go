package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// newFlags returns the flag set of a command. usage is its line of arguments.
func newFlags(name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed by run, help by parse
	fs.Usage = func() {
		w := fs.Output()
		fmt.Fprintf(w, "Usage: djedge %s %s\n\n", name, usage)
		fs.VisitAll(func(f *flag.Flag) {
			value, text := flag.UnquoteUsage(f)
			if value != "" {
				value = " " + value
			}
			fmt.Fprintf(w, "  --%s%s\n      %s\n", f.Name, value, text)
		})
	}
	return fs
}

// parse reads flags and arguments in any order; after "--" there are only
// arguments. Help goes to standard output.
func parse(p *process, fs *flag.FlagSet) (arguments []string, err error) {
	for rest := p.args; ; {
		if err := fs.Parse(rest); errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(p.stdout)
			fs.Usage()
			return nil, err
		} else if err != nil {
			return nil, usagef("%s: %w", fs.Name(), err)
		}
		parsed := len(rest) - fs.NArg()
		if parsed > 0 && rest[parsed-1] == "--" || fs.NArg() == 0 {
			return append(arguments, fs.Args()...), nil
		}
		arguments = append(arguments, fs.Arg(0))
		rest = fs.Args()[1:]
	}
}

// noArguments is parse for a command that takes none.
func noArguments(p *process, fs *flag.FlagSet) error {
	arguments, err := parse(p, fs)
	if err == nil && len(arguments) > 0 {
		return usagef("%s: unexpected argument", fs.Name())
	}
	return err
}
