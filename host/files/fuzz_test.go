package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/djedge/djedge/djsession"
)

// Whatever the name, nothing but a file of that name in the folder comes or goes.
func FuzzName(f *testing.F) {
	for _, name := range []string{"sessionidabcdefgh12345678", "../outside", "/etc/passwd", "..", "a/../b", "a\x00b", "neighbour", ""} {
		f.Add(name)
	}
	parent := f.TempDir()
	dir := filepath.Join(parent, "sessions")
	for path, text := range map[string]string{filepath.Join(parent, "outside"): "outside", filepath.Join(dir, "neighbour"): "neighbour"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	folder, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "neighbour" {
			return
		}
		do := func(kind djsession.StorageKind) bool {
			r, err := folder.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: name, Value: "new"})
			return err == nil && r.Found
		}
		if do(djsession.FileCreate) {
			if b, err := os.ReadFile(filepath.Join(dir, name)); filepath.Base(name) != name || err != nil || string(b) != "new" {
				t.Errorf("%q: %q, %v", name, b, err)
			}
			if !do(djsession.FileReplace) || !do(djsession.FileGet) || !do(djsession.FileDelete) {
				t.Errorf("%q was made and is not there", name)
			}
		} else if do(djsession.FileReplace) || do(djsession.FileGet) || do(djsession.FileDelete) {
			t.Errorf("%q was not made and is there", name)
		}
		for _, path := range []string{filepath.Join(parent, "outside"), filepath.Join(dir, "neighbour")} {
			if b, err := os.ReadFile(path); err != nil || string(b) != filepath.Base(path) {
				t.Fatalf("%q changed %s", name, path)
			}
		}
		for dir, want := range map[string]int{parent: 2, dir: 1} {
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
				t.Fatalf("%q: %v in %s", name, entries, dir)
			}
		}
	})
}
