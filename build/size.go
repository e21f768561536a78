package main

import (
	"context"
	"fmt"
	"os"

	"github.com/djedge/djedge/build/wasmbuild"
)

// The goals for djedge.wasm are 5 MB raw, which is noted, and 1.5 MB
// compressed, which is what is downloaded and therefore a limit.
const (
	goalRaw = 5_000_000
	maxRaw  = 6_000_000
	maxGzip = 1_500_000
)

func size([]string) int {
	root, err := wasmbuild.Root()
	if err != nil {
		return fail(err)
	}
	code := 0
	for _, spec := range shipped() {
		a, err := wasmbuild.Ensure(context.Background(), root, spec)
		if err != nil {
			return fail(err)
		}
		found, err := wasmbuild.Inspect(a.Raw)
		if err != nil {
			return fail(err)
		}
		fmt.Printf("%s.wasm: %s\n", spec.Out, sizes(a))
		fmt.Printf("  imports %v\n  exports %v\n", found.Imports, found.Exports)
		if len(a.Raw) > goalRaw {
			fmt.Printf("  above the goal of %.1f MB raw\n", goalRaw/1e6)
		}
		if len(a.Raw) > maxRaw || len(a.Gzip) > maxGzip {
			fmt.Fprintf(os.Stderr, "build: larger than %.1f MB raw or %.1f MB gzip\n", maxRaw/1e6, maxGzip/1e6)
			code = 1
		}
	}
	return code
}
