// Command build is the repository's own tool: `go run ./build VERB`. The
// Makefile is a list of shortcuts to it.
package main

import (
	"fmt"
	"io"
	"os"
)

// verb is one command. Run gets what follows the verb and returns the exit
// code: 0 ok, 1 failed, 2 wrong usage.
type verb struct {
	name, help string
	run        func(args []string) int
}

func verbs() []verb {
	return []verb{
		{"modules", "build stale WebAssembly modules and print their sizes", buildModules},
		{"repro", "build the modules twice from scratch and compare with what is committed", repro},
		{"size", "check imports, exports and size of the modules", size},
		{"corpus", "make conformance vectors: ask the installed Djangos", corpus},
		{"vectors", "run conformance vectors: vectors --engine wasm|native FILE...", vectors},
		{"conformance", "run conformance vectors in every runtime: conformance [--host NAME,…] [FILE…]", runConformance},
		{"runtimes", "write docs/runtimes.md from recorded runs: runtimes [FILE…]", runtimes},
		{"bench", "measure djedge beside Django and others: bench [PART…], see bench --help", runBench},
		{"compat", "write docs/versions.md and docs/compat.md, the latter from recorded tests: compat FILE...", compat},
	}
}

func main() { os.Exit(dispatch(os.Args[1:])) }

func dispatch(args []string) int {
	if len(args) == 0 {
		usage(os.Stderr)
		return 2
	}
	if name := args[0]; name == "help" || name == "-h" || name == "--help" {
		usage(os.Stdout)
		return 0
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(args[1:])
		}
	}
	fmt.Fprintf(os.Stderr, "build: unknown verb %q\n", args[0])
	usage(os.Stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./build VERB [arguments]")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-11s %s\n", v.name, v.help)
	}
}

// fail prints why and is exit code 1.
func fail(err error) int {
	fmt.Fprintln(os.Stderr, "build:", err)
	return 1
}
