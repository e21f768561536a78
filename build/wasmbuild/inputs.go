package wasmbuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// listFormat prints the files of this repository that a build reads, one per
// line; other modules are fixed by go.sum.
const listFormat = `{{if not .Standard}}{{if .Module.Main}}{{$d := .Dir}}` +
	`{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .SFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}` +
	`{{range .HFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`

// Sources lists, relative to root, the files of this repository that decide
// the bytes of the module: go.mod and go.sum, and what is compiled.
func Sources(ctx context.Context, root string, spec Spec) ([]string, error) {
	list, err := goCommand(ctx, root, spec, "list", "-deps", "-tags="+spec.Tags, "-f", listFormat, spec.Package)
	if err != nil {
		return nil, err
	}
	files := []string{"go.mod", "go.sum"}
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, err := filepath.Rel(root, line)
		if err != nil {
			return nil, err
		}
		files = append(files, filepath.ToSlash(name))
	}
	return files, nil
}

// Inputs is a digest of the [Sources], the toolchain, and this package, which
// holds the flags and works on the linker's output.
func Inputs(ctx context.Context, root string, spec Spec) (string, error) {
	files, err := Sources(ctx, root, spec)
	if err != nil {
		return "", err
	}
	own, err := os.ReadDir(filepath.Join(root, "build", "wasmbuild"))
	if err != nil {
		return "", err
	}
	for _, entry := range own {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, "build/wasmbuild/"+name)
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s\n", Toolchain, spec.Package, spec.Tags)
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(data))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
