package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// invocation is one run of the command. Patterns are regular expressions
// (multi-line); "" wants nothing to be written.
type invocation struct {
	args           []string
	env            []string
	stdin          string
	code           int
	stdout, stderr string
}

const anything = "(?s).*"

// try runs the command and compares; canary must not be in any output.
func (i invocation) try(t *testing.T) (stdout string) {
	t.Helper()
	var out, errors bytes.Buffer
	code := run(t.Context(), &process{args: i.args, env: i.env, stdin: strings.NewReader(i.stdin), stdout: &out, stderr: &errors})
	if code != i.code {
		t.Errorf("djedge %q: exit code %d, want %d: %s", i.args, code, i.code, &errors)
	}
	for name, stream := range map[string]struct{ got, want string }{"stdout": {out.String(), i.stdout}, "stderr": {errors.String(), i.stderr}} {
		if stream.want == "" && stream.got != "" || !regexp.MustCompile("(?m)"+stream.want).MatchString(stream.got) {
			t.Errorf("djedge %q: %s %q, want %q", i.args, name, stream.got, stream.want)
		}
		if strings.Contains(stream.got, "canary") {
			t.Errorf("djedge %q: a secret is in %s: %s", i.args, name, stream.got)
		}
	}
	return out.String()
}

// file writes a file for one test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func words(line string) []string { return strings.Fields(line) }

// vector is what the tests need of one of Django's vectors.
type vector struct {
	ID          string
	SessionData string `json:"session_data"`
	Secret      string
	Fallbacks   []string
	JSON        string `json:"expected_json"`
	Password    string
	Encoded     string
}

// djangoVectors are vectors of real Django by their id.
func djangoVectors(t *testing.T, ids ...string) []vector {
	t.Helper()
	text, err := os.ReadFile("../../testdata/vectors/django.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Vectors []json.RawMessage }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	found := make([]vector, len(ids))
	for _, raw := range all.Vectors {
		for i, id := range ids {
			if bytes.Contains(raw, []byte(`"`+id+`"`)) {
				if err := json.Unmarshal(raw, &found[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for i, v := range found {
		if v.ID != ids[i] {
			t.Fatalf("no vector %s", ids[i])
		}
	}
	return found
}

func TestUsage(t *testing.T) {
	for _, i := range []invocation{
		{args: words("--help"), stdout: `^  serve `},
		{args: words("help"), stdout: `^  session decode `},
		{args: words("session --help"), stdout: `^  session decode `},
		{args: words("serve --help"), stdout: `--secret-key-file file$`},
		{args: words("serve -h"), stdout: `\(default wasm\)$`},
		{args: words("session decode -h"), stdout: `^Usage: djedge session decode `},
		{args: words("password verify --help"), stdout: `ENCODED`},
		{args: words("version"), stdout: `^djedge .+\nabi 0\nmodule (none|sha256:[0-9a-f]{64})\ngo go1\.\S+ \S+$`},

		{args: nil, code: 2, stderr: "no command"},
		{args: words("nothing"), code: 2, stderr: "unknown command"},
		{args: words("session"), code: 2, stderr: "one more word"},
		{args: words("session nothing"), code: 2, stderr: "one more word"},
		{args: words("serve argument"), code: 2, stderr: "unexpected argument"},
		{args: words("serve --nothing"), code: 2, stderr: "nothing"},
		{args: words("serve --secret-key canary"), code: 2, stderr: "secret-key"},
		{args: words("password verify"), code: 2, stderr: "one argument"},
		{args: words("password verify a b"), code: 2, stderr: "one argument"},
		{args: words("password hash canary"), code: 2, stderr: "standard input"},
		{args: words("version argument"), code: 2, stderr: "unexpected argument"},
		{args: words("keys --format xml"), code: 2, stderr: "format"},
		{args: words("session decode a b"), code: 2, stderr: "one argument at most"},
		{args: words("session decode a --key canary"), code: 2, stderr: "--key"},
	} {
		i.try(t)
	}
}
