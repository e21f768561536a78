package main

import (
	"context"
	"fmt"
	"os"

	"github.com/djedge/djedge/build/wasmbuild"
)

// Goals for djedge.wasm: what a host downloads and keeps.
const (
	maxRaw  = 5_000_000
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
		if len(a.Raw) > maxRaw || len(a.Gzip) > maxGzip {
			fmt.Fprintf(os.Stderr, "build: larger than %.1f MB raw or %.1f MB gzip\n", maxRaw/1e6, maxGzip/1e6)
			code = 1
		}
	}
	return code
}
