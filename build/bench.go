package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/djedge/djedge/build/bench"
	"github.com/djedge/djedge/build/wasmbuild"
)

const benchUsage = `usage: go run ./build bench [flags] [PART…]

Measures djedge beside Django and others, all in this run, and installs what that needs. The parts are
%s; without any it is all of them. Tables go to standard error; standard output is lines of JSON,
{"name": …, "ratio": …, "unit": …}.

`

// runBench is the verb "bench".
func runBench(args []string) int {
	root, err := wasmbuild.Root()
	if err != nil {
		return fail(err)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(os.Stderr, benchUsage, bench.Parts())
		flags.PrintDefaults()
	}
	c := bench.Config{Root: root, Out: os.Stdout, People: os.Stderr}
	flags.StringVar(&c.Components, "components", defaultComponents(), "directory that components are installed in")
	flags.IntVar(&c.Rounds, "rounds", 5, "rounds of requests")
	flags.DurationVar(&c.Duration, "duration", 3*time.Second, "requests of one row in one round")
	flags.IntVar(&c.KDFRounds, "kdf-rounds", 20, "rounds of password hashing; the expensive functions take part in a third")
	flags.IntVar(&c.Sessions, "sessions", 10_000, "users and sessions")
	flags.Func("row", "only rows whose name contains this, and those that others are compared with; may repeat", func(s string) error {
		c.Only = append(c.Only, s)
		return nil
	})
	flags.StringVar(&c.Write, "write", "", "write a page to this file, such as docs/benchmarks.md")
	flags.StringVar(&c.Notes, "notes", "build/bench/notes.md", "a file of Markdown for the end of that page")
	parts, err := parseInterspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	for _, part := range parts {
		if !slices.Contains(bench.Parts(), part) {
			fmt.Fprintf(os.Stderr, "build: bench has no part %q, only %s\n", part, bench.Parts())
			return 2
		}
	}
	if c.Components, err = filepath.Abs(c.Components); err != nil {
		return fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench.Run(ctx, c, parts...); err != nil {
		return fail(err)
	}
	return 0
}
