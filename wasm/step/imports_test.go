package step_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestImports: the rules are small and do no I/O. What they need of the outside they ask
// for, so none of them may import a way around that.
func TestImports(t *testing.T) {
	const own = "github.com/djedge/djedge/"
	forbidden := map[string]bool{
		"net": true, "os": true, "net/http": true, "database/sql": true, "crypto/rand": true,
		"math/rand": true, "math/rand/v2": true, "syscall": true, "os/exec": true, "io/ioutil": true,
		// For the size of the module; see djsession/errorf.
		"fmt": true, "encoding/json": true, "regexp": true, "reflect": true, "compress/flate": true, "compress/zlib": true,
	}
	for _, room := range []string{"djsession", "djuser", "wasm/abi", "wasm/step"} {
		files := 0
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil {
				return err
			}
			for _, comment := range file.Comments {
				if comment.Pos() < file.Package && strings.HasPrefix(comment.List[0].Text, "//go:build ignore") {
					return nil // a program that writes one of the package's files
				}
			}
			clock := ""
			for _, spec := range file.Imports {
				name, _ := strconv.Unquote(spec.Path.Value)
				first, _, _ := strings.Cut(name, "/")
				standard := !strings.Contains(first, ".")
				switch {
				case forbidden[name]:
					t.Errorf("%s imports %s", path, name)
				case standard, strings.HasPrefix(name, "golang.org/x/"):
				case !strings.HasPrefix(name, own):
					t.Errorf("%s imports %s, which is neither the standard library's, golang.org/x nor ours", path, name)
				case !strings.HasPrefix(room, "wasm") && !strings.HasPrefix(name, own+"djsession") && !strings.HasPrefix(name, own+"djuser"):
					t.Errorf("%s imports %s against the arrows", path, name)
				case room == "djsession" && strings.HasPrefix(name, own+"djuser"):
					t.Errorf("%s imports %s against the arrows", path, name)
				}
				if name == "time" {
					clock = "time"
					if spec.Name != nil {
						clock = spec.Name.Name
					}
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				selector, ok := n.(*ast.SelectorExpr)
				if !ok || clock == "" {
					return true
				}
				if x, ok := selector.X.(*ast.Ident); ok && x.Name == clock {
					switch selector.Sel.Name {
					case "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker":
						t.Errorf("%s uses time.%s", path, selector.Sel.Name)
					}
				}
				return true
			})
			return nil
		})
		if err != nil || files == 0 {
			t.Errorf("%s: %d files, %v", room, files, err)
		}
	}
}
