package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
)

func current(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: go run ./build compat", name)
	}
}

// docs/versions.md says what the code does.
func TestVersionsDocIsCurrent(t *testing.T) {
	page, err := versionsPage()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("..")
	current(t, versionsDoc, page)
}

// docs/compat.md says what the results do, and these are of tests and vectors
// that there still are.
func TestCompatDocIsCurrent(t *testing.T) {
	t.Chdir("..")
	cells, err := readCells(compatResults)
	if err != nil {
		t.Fatal(err)
	}
	current(t, compatDoc, compatPage(cells))

	vectors := map[record.Cell]int{}
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		groups, err := hasherVectors(name)
		if err != nil {
			t.Fatal(err)
		}
		for c, group := range groups {
			vectors[c] = len(group)
		}
	}
	tests := testFunctions(t)
	for _, c := range cells {
		key := c
		key.Vectors = 0
		switch n, known := vectors[key]; {
		case c.Vectors > 0 && (!known || c.Vectors > n):
			t.Errorf("%s has %d vectors of %s, %s, and %d are said to pass: make compat", c.Test, n, c.Django, c.Hasher, c.Vectors)
		case c.Vectors == 0 && !slices.Contains(tests, c.Test):
			t.Errorf("there is no test %s: make compat", c.Test)
		}
		delete(vectors, key)
	}
	for c, n := range vectors {
		t.Errorf("%s: none of the %d vectors of %s, %s is in the results: make compat", c.Test, n, c.Django, c.Hasher)
	}
}

// testFunctions are the repository's tests that record.
func testFunctions(t *testing.T) []string {
	t.Helper()
	var names []string
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, folder := range []string{"build/e2e", "host", "host/sqldb"} {
		files, err := filepath.Glob(folder + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(text, []byte("record.Passed(")) {
				continue
			}
			for _, match := range function.FindAllSubmatch(text, -1) {
				names = append(names, filepath.Base(folder)+"."+string(match[1]))
			}
		}
	}
	return names
}

// What nobody recorded stays empty.
func TestCompatPageTypesNothing(t *testing.T) {
	page := compatPage([]record.Cell{
		{Django: "5.2.19", Test: "host.TestA", Engine: "cached_db", Database: "sqlite", Cache: "memcached"},
		{Django: "5.2.19", Test: "django.json", Hasher: "argon2", Vectors: 3},
		{Django: "5.2.19", Test: "django-5.2.json", Hasher: "argon2", Vectors: 4},
	})
	for _, want := range []string{
		"\n| 5.2 | cached_db | a |  |  |  |  |  |  | a |  |\n", "\n| 5.2 | db |  |  |  |  |  |  |  |  |  |\n",
		"\n| 5.2 | 7 |\n", "\n| 2.2 |  |\n", "\n* a: `host.TestA`\n\nDjango 5.2.19.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("without %q:\n%s", want, page)
		}
	}
}
