package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/djedge/djedge/build/wasmbuild"
)

// repro proves that what is committed is what the sources say: two copies of
// the sources at different paths, each with an empty build cache, must give
// the committed bytes.
func repro([]string) int {
	root, err := wasmbuild.Root()
	if err != nil {
		return fail(err)
	}
	for _, spec := range shipped() {
		if err := reproduce(context.Background(), root, spec); err != nil {
			return fail(fmt.Errorf("%s.wasm: %w", spec.Out, err))
		}
		fmt.Printf("%s.wasm is reproduced\n", spec.Out)
	}
	return 0
}

func reproduce(ctx context.Context, root string, spec wasmbuild.Spec) error {
	committed, inputs, err := wasmbuild.Read(root, spec)
	if err != nil {
		return err
	}
	current, err := wasmbuild.Inputs(ctx, root, spec)
	if err != nil {
		return err
	}
	if inputs != current {
		return errors.New("what is committed was built of other sources: run make modules")
	}
	dir, err := os.MkdirTemp("", "djedge-repro-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, copyAt := range []string{"a", filepath.Join("another", "path", "b")} {
		raw, err := compileCopy(ctx, root, filepath.Join(dir, copyAt), spec)
		if err != nil {
			return err
		}
		if !bytes.Equal(raw, committed.Raw) {
			return fmt.Errorf("a build at another path has %d bytes that differ from the %d committed", len(raw), len(committed.Raw))
		}
	}
	return nil
}

// compileCopy copies nothing but the declared sources, so that a build which
// read anything else would fail here.
func compileCopy(ctx context.Context, root, dir string, spec wasmbuild.Spec) ([]byte, error) {
	sources, err := wasmbuild.Sources(ctx, root, spec)
	if err != nil {
		return nil, err
	}
	tree := filepath.Join(dir, "src")
	for _, name := range sources {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		target := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			return nil, err
		}
	}
	spec.Env = append(spec.Env, "GOCACHE="+filepath.Join(dir, "cache"))
	return wasmbuild.Compile(ctx, tree, spec)
}
