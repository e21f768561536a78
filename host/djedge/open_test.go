package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// Compiled code is kept only where nobody else can write.
func TestModuleCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir)
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	theirs := ""
	if err := os.Chown(foreign, 12345, -1); err != nil {
		theirs = foreign // only root can give it away
	}
	for configured, want := range map[string]string{
		foreign:                            theirs,
		"none":                             "",
		filepath.Join(dir, "a", "b"):       filepath.Join(dir, "a", "b"),
		shared:                             "",
		file(t, "file", "not a directory"): "",
		"/dev/null/x":                      "",
	} {
		var log bytes.Buffer
		if got := moduleCache(configured, slog.New(slog.NewTextHandler(&log, nil))); got != want {
			t.Errorf("%s: %q, want %q", configured, got, want)
		}
		if warned := log.Len() > 0; warned != (want == "" && configured != "none") {
			t.Errorf("%s: log %q", configured, &log)
		}
	}
	if parent, err := os.UserCacheDir(); err == nil {
		if got, want := moduleCache("", slog.New(slog.DiscardHandler)), filepath.Join(parent, "djedge"); got != want {
			t.Errorf("default %q, want %q", got, want)
		}
		if left, _ := filepath.Glob(filepath.Join(parent, "djedge", ".probe*")); len(left) > 0 {
			t.Errorf("%s is left", left)
		}
	}
}

func TestSQLitePath(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:///srv/db.sqlite3":  "/srv/db.sqlite3",
		"sqlite:///a%20b/c%23d.db":  "/a b/c#d.db",
		"sqlite:////srv/db.sqlite3": "//srv/db.sqlite3",
		"sqlite://srv/db.sqlite3":   "",
		"sqlite:srv/db.sqlite3":     "",
		"sqlite:///a?mode=ro":       "",
		"sqlite:///a#b":             "",
		"sqlite://%zz":              "",
	} {
		got, err := sqlitePath(url)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
}
