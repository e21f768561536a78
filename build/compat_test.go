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
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/password"
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

// What nobody recorded stays empty, and what there is not has a dash.
func TestCompatPageTypesNothing(t *testing.T) {
	page := compatPage([]record.Cell{
		{Django: "5.2.19", Test: "host.TestA", Engine: "cached_db", Database: "sqlite", Cache: "pymemcache"},
		{Django: "5.2.19", Test: "django-5.2.json", Hasher: "argon2", Vectors: 4},
		{Django: "5.2.19", Test: "django.json", Hasher: "argon2", Vectors: 3},
		{Django: "2.2.28", Test: "django.json", Hasher: "sha1", Vectors: 1},
		{Django: "6.0.10", Test: "django.json", Hasher: "md5", Vectors: 2},
	})
	for _, want := range []string{
		"\n| 5.2 | cached_db | a |  |  |  |  |  |  | a | – | – |\n", "\n| 5.2 | db |  |  |  | – | – | – | – | – | – | – |\n",
		"\n| 2.2 | cache | – | – | – | – |  |  |  | – |  | – |\n", "\n| 6.0 | file | – | – | – | – | – | – | – | – | – |  |\n",
		"No Django 3.0, 3.1, 3.2, 4.0, 4.1, 4.2, 5.0, 5.1 or 6.1 was run",
		"\n| 5.2 | 7 |  | – |\n", "\n| 2.2 |  |  | 1 |\n", "\n* a: `host.TestA`\n", "\nDjango 2.2.28, 5.2.19, 6.0.10.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("without %q:\n%s", want, page)
		}
	}
}

// No test has shown what the page holds to be impossible.
func TestCompatResultsArePossible(t *testing.T) {
	t.Chdir("..")
	cells, err := readCells(compatResults)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		v, err := version.Parse((&vector{Django: c.Django}).version())
		if err != nil {
			t.Fatal(err)
		}
		if c.Hasher != "" {
			if !slices.Contains(password.DefaultsOf(v).Algorithms, c.Hasher) {
				t.Errorf("%+v: Django %v has no such hasher", c, v)
			}
			continue
		}
		for _, where := range []string{c.Database, c.Cache} {
			if where != "" && !possible(v, c.Engine, strings.TrimSuffix(where, "-char32")) {
				t.Errorf("%+v was thought to be impossible", c)
			}
		}
	}
}
