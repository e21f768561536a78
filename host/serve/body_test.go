package serve

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeStrings(t *testing.T) {
	keys := []string{"username", "password"}
	for _, body := range []string{
		`{"username":"bob","password":"pw"}`,
		` { "password" : "pw" , "username" : "\u0062ob" } ` + "\n",
	} {
		fields, problem := decodeStrings([]byte(body), keys)
		if problem != "" || fields["username"] != "bob" || fields["password"] != "pw" || len(fields) != 2 {
			t.Errorf("%s: %v, %q", body, fields, problem)
		}
	}
	for body, want := range map[string]string{
		``:                                       "not a JSON object",
		`null`:                                   "not a JSON object",
		`[]`:                                     "not a JSON object",
		`"username"`:                             "not a JSON object",
		`{}`:                                     `"username" is missing`,
		`{"username":"bob"}`:                     `"password" is missing`,
		`{"Username":"bob","password":"pw"}`:     `Unknown key "Username"`,
		`{"username":"a","username":"b"}`:        `"username" is there twice`,
		`{"username":"a","password":1}`:          `"password" must be a string`,
		`{"username":"a","password":null}`:       `"password" must be a string`,
		`{"username":["a"],"password":"p"}`:      `"username" must be a string`,
		`{"username":{},"password":"p"}`:         `"username" must be a string`,
		`{"username":"a","password":"p","x":1}`:  `Unknown key "x"`,
		`{"username":"a","password":"p"}{}`:      "something after",
		`{"username":"a","password":"p"} x`:      "something after",
		`{"username":"a","password":"p",}`:       "not JSON",
		`{"username" "a"}`:                       "not JSON",
		`{"username":"a"`:                        "not JSON",
		`{"username":"a` + "\n" + `"}`:           "not JSON",
		`{"username":"\ud800","password":"p"}`:   `"username" is not Unicode`,
		`{"username":"\udc00\ud800"}`:            `"username" is not Unicode`,
		"{\"username\":\"\xff\"}":                "not UTF-8",
		`{"` + strings.Repeat("k", 100) + `":1}`: "Unknown key",
	} {
		fields, problem := decodeStrings([]byte(body), keys)
		if fields != nil || !strings.Contains(problem, want) || len(problem) > 100 {
			t.Errorf("%s: %v, %q, want %q", body, fields, problem, want)
		}
	}
	fields, problem := decodeStrings([]byte(`{"username":"\u0000\ud83d\ude00\\ud800\"","password":""}`), keys)
	if problem != "" || fields["username"] != "\x00😀\\ud800\"" || fields["password"] != "" {
		t.Errorf("escapes: %q, %q", fields, problem)
	}
}

// FuzzDecodeStrings: what is accepted means the same to encoding/json, and
// nothing of it was dropped, folded or replaced.
func FuzzDecodeStrings(f *testing.F) {
	for _, seed := range []string{`{"username":"a","password":"b"}`, `{"username":"\ud83d\ude00","password":"\\"}`, `{}`, `{"username":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, problem := decodeStrings(text, []string{"username", "password"})
		if (problem == "") != (fields != nil) || !utf8.ValidString(problem) {
			t.Fatalf("%v with problem %q", fields, problem)
		}
		if problem != "" {
			return
		}
		var other map[string]string
		if err := json.Unmarshal(text, &other); err != nil || !maps.Equal(fields, other) {
			t.Fatalf("%q: %q, encoding/json says %q, %v", text, fields, other, err)
		}
		if len(fields) != 2 || strings.Count(string(text), ":") < 2 {
			t.Fatalf("%q: %q", text, fields)
		}
		for _, value := range fields {
			if !utf8.ValidString(value) {
				t.Fatalf("%q is not UTF-8", value)
			}
			// encoding/json writes U+FFFD where it found half a pair.
			if n := strings.Count(value, "\ufffd"); n > 0 && n > strings.Count(string(text), "\ufffd")+strings.Count(strings.ToLower(string(text)), `\ufffd`) {
				t.Fatalf("%q: a character was replaced", text)
			}
		}
	})
}

func TestStrictJSON(t *testing.T) {
	for raw, want := range map[string]string{
		`{"a": [1, 2.50], "b":"\ud800"}`: `{"a": [1, 2.50], "b":"\ud800"}`,
		`123456789012345678901234567890`: `123456789012345678901234567890`,
		`NaN`:                            `null`,
		`[NaN,-Infinity,Infinity,"NaN \" Infinity"]`: `[null,null,null,"NaN \" Infinity"]`,
		`{"x":`: `null`,
	} {
		if got := strictJSON(raw); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}
