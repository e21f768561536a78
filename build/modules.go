package main

import (
	"context"
	"fmt"

	"github.com/djedge/djedge/build/wasmbuild"
)

// shipped are the modules that a release carries.
func shipped() []wasmbuild.Spec { return []wasmbuild.Spec{wasmbuild.Djedge()} }

func buildModules([]string) int {
	root, err := wasmbuild.Root()
	if err != nil {
		return fail(err)
	}
	for _, spec := range shipped() {
		a, err := wasmbuild.Ensure(context.Background(), root, spec)
		if err != nil {
			return fail(err)
		}
		state := "up to date"
		if a.Built {
			state = "built"
		}
		fmt.Printf("%s.wasm %s: %s, sha256 %s\n", spec.Out, state, sizes(a), a.Digest)
	}
	return 0
}

func sizes(a *wasmbuild.Artefact) string {
	return fmt.Sprintf("%.2f MB raw, %.2f MB gzip", float64(len(a.Raw))/1e6, float64(len(a.Gzip))/1e6)
}
