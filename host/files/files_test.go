package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/internal/testservers"
)

const name = "sessionidabcdefgh12345678"

func open(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, dir
}

func do(t *testing.T, f *Folder, kind djsession.StorageKind, name, value string) djsession.StorageResult {
	t.Helper()
	result, err := f.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: name, Value: value})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestStorage(t *testing.T) {
	f, dir := open(t)
	is := func(kind djsession.StorageKind, value string, found bool, want string) {
		t.Helper()
		r := do(t, f, kind, name, value)
		if kind == djsession.FileGet && found {
			if since := time.Since(r.Modified); since < -time.Second || since > time.Minute {
				t.Errorf("modified %v", r.Modified)
			}
			r.Modified = time.Time{}
		}
		if r != (djsession.StorageResult{Found: found, Value: want}) {
			t.Errorf("%d: %v", kind, r)
		}
	}
	is(djsession.FileGet, "", false, "")
	is(djsession.FileReplace, "early", false, "")
	is(djsession.FileDelete, "", false, "")
	is(djsession.FileGet, "", false, "")
	is(djsession.FileCreate, "one\x00\xff", true, "")
	is(djsession.FileGet, "", true, "one\x00\xff")
	is(djsession.FileCreate, "two", false, "")
	is(djsession.FileGet, "", true, "one\x00\xff")
	if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
		t.Errorf("created with %v, %v", info.Mode(), err)
	}
	is(djsession.FileReplace, "", true, "")
	is(djsession.FileGet, "", true, "")
	is(djsession.FileReplace, "three", true, "")
	is(djsession.FileGet, "", true, "three")
	if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
		t.Errorf("replaced with %v, %v", info.Mode(), err)
	}
	when := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
		t.Fatal(err)
	}
	if r := do(t, f, djsession.FileGet, name, ""); !r.Modified.Equal(when) {
		t.Errorf("modified %v, want %v", r.Modified, when)
	}
	is(djsession.FileDelete, "", true, "")
	is(djsession.FileGet, "", false, "")
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.CacheGet, Key: name}); err == nil {
		t.Error("files answered for a cache")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Storage(ctx, djsession.StorageOp{Kind: djsession.FileCreate, Key: name}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestNames(t *testing.T) {
	f, dir := open(t)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.WriteFile(outside, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "..", "...", "../outside", outside, "a/b", `a\b`, "a\x00b", "a b", "a\n", "é", "a:b", "a(b", strings.Repeat("a", 201)} {
		if r, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileGet, Key: bad}); err != nil || r.Found {
			t.Errorf("get %q: %v, %v", bad, r, err)
		}
		for _, kind := range []djsession.StorageKind{djsession.FileCreate, djsession.FileReplace, djsession.FileDelete} {
			if _, err := f.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: bad}); !errors.Is(err, ErrName) {
				t.Errorf("%d %q: %v", kind, bad, err)
			}
		}
	}
	for _, good := range []string{"a", "__Host-session.id+~!#$%&'*^`|", ".hidden", strings.Repeat("a", 200)} {
		if !do(t, f, djsession.FileCreate, good, "x").Found || !do(t, f, djsession.FileReplace, good, "y").Found || do(t, f, djsession.FileGet, good, "").Value != "y" {
			t.Errorf("%q does not work", good)
		}
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "canary" {
		t.Errorf("outside: %q, %v", b, err)
	}
}

// What is not a plain file is neither read nor written, and never waited for.
func TestNotFiles(t *testing.T) {
	f, dir := open(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, f, djsession.FileCreate, "inside", "canary")
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.Symlink(outside, at("link")), os.Symlink("inside", at("near")), os.Symlink("nothing", at("dangling")),
		os.Mkdir(at("folder"), 0o700), syscall.Mkfifo(at("pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "near", "dangling", "folder", "pipe"} {
		for _, kind := range []djsession.StorageKind{djsession.FileGet, djsession.FileReplace} {
			r, err := f.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: name, Value: "new"})
			if err == nil || r.Found || strings.Contains(err.Error(), name) {
				t.Errorf("%d %s: %v, %v", kind, name, r, err)
			}
		}
		if do(t, f, djsession.FileCreate, name, "new").Found {
			t.Errorf("%s: created", name)
		}
	}
	if do(t, f, djsession.FileDelete, "link", ""); true {
		if b, err := os.ReadFile(outside); err != nil || string(b) != "canary" {
			t.Errorf("outside: %q, %v", b, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	f, dir := open(t)
	if !do(t, f, djsession.FileCreate, name, strings.Repeat("a", MaxBytes)).Found || len(do(t, f, djsession.FileGet, name, "").Value) != MaxBytes {
		t.Error("the largest session does not work")
	}
	for _, kind := range []djsession.StorageKind{djsession.FileCreate, djsession.FileReplace} {
		if _, err := f.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: name, Value: strings.Repeat("a", MaxBytes+1)}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d: %v", kind, err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, name), 1<<40); err != nil { // sparse
		t.Skip(err)
	}
	if _, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileGet, Key: name}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// One of many creators wins, and no reader sees half a session.
func TestConcurrent(t *testing.T) {
	f, dir := open(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	created := 0
	for i := range 8 {
		wg.Go(func() {
			r, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileCreate, Key: name, Value: strings.Repeat(fmt.Sprint(i), 10000)})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if r.Found {
				created++
			}
		})
	}
	wg.Wait()
	if created != 1 {
		t.Errorf("%d created it", created)
	}
	for i := range 4 {
		wg.Go(func() {
			for range 50 {
				if _, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileReplace, Key: name, Value: strings.Repeat(fmt.Sprint(i), 10000)}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				r, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileGet, Key: name})
				if err != nil || len(r.Value) != 10000 || strings.Trim(r.Value, r.Value[:1]) != "" {
					t.Errorf("read %d bytes, %v", len(r.Value), err)
				}
			}
		})
	}
	wg.Wait()
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "file")); err == nil {
		t.Error("opened a file as a folder")
	}
}

const sessions = `
import sys
from django.conf import settings
settings.configure(SESSION_ENGINE="django.contrib.sessions.backends.file", SESSION_FILE_PATH=sys.argv[1], SECRET_KEY="x")
import django
django.setup()
from django.contrib.sessions.backends.file import SessionStore
args = sys.argv[2:]
`

// What Django puts there comes out byte by byte, and the other way round.
func TestDjango(t *testing.T) {
	f, dir := open(t)
	out := testservers.Django(t, sessions+`
s = SessionStore()
s["name"] = "Zoé"
s.create()
print(s.session_key, open(s._key_to_file()).read())
`, dir)
	key, data, _ := strings.Cut(out, " ")
	r := do(t, f, djsession.FileGet, "sessionid"+key, "")
	if !r.Found || r.Value != data {
		t.Errorf("%v, want %s", r, data)
	}
	if do(t, f, djsession.FileCreate, "sessionid"+key, "").Found {
		t.Error("created what Django has")
	}
	const copied = "copy5678copy5678copy5678copy5678"
	if !do(t, f, djsession.FileCreate, "sessionid"+copied, "").Found || !do(t, f, djsession.FileReplace, "sessionid"+copied, r.Value).Found {
		t.Error("not stored")
	}
	if out := testservers.Django(t, sessions+`
s = SessionStore(args[0])
print(s["name"], s.exists(args[0]))
s["n"] = 2
s.save()
SessionStore(args[1]).delete()
`, dir, copied, key); out != "Zoé True" {
		t.Errorf("Django reads %s", out)
	}
	if r := do(t, f, djsession.FileGet, "sessionid"+copied, ""); !r.Found || r.Value == data || r.Value == "" {
		t.Errorf("after Django's change: %v", r)
	}
	if do(t, f, djsession.FileReplace, "sessionid"+key, "back again").Found {
		t.Error("replaced what Django deleted")
	}
}

// Names come in order and by the page, without those of files that are no
// sessions.
func TestList(t *testing.T) {
	f, dir := open(t)
	for i := range djsession.ListLength + 5 {
		do(t, f, djsession.FileCreate, fmt.Sprintf("sessionid%08d", i), "")
	}
	do(t, f, djsession.FileCreate, "other", "")
	if err := os.Mkdir(filepath.Join(dir, "sessionidfolder00"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("other", filepath.Join(dir, "sessionidlink0000")); err != nil {
		t.Fatal(err)
	}
	list := func(after string) []string {
		r, err := f.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileList, Key: "sessionid", Value: after})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(r.Value)
	}
	first := list("")
	if len(first) != djsession.ListLength || !slices.IsSorted(first) || first[0] != "sessionid00000000" {
		t.Fatalf("%d names from %q", len(first), first[0])
	}
	if rest := list(first[len(first)-1]); len(rest) != 5 || rest[0] != "sessionid00001000" {
		t.Errorf("then %q", rest)
	}
	if rest := list("sessionid00001004"); len(rest) != 0 {
		t.Errorf("behind the last: %q", rest)
	}
}
