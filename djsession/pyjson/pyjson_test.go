package pyjson_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pyjson"
)

func TestObject(t *testing.T) {
	text := ` {"b" : 1.0 ,"a":[ 1,NaN],"\u0062":{"x": "é"}, "\ud800":12345678901234567890} `
	got, err := pyjson.Object(text, 1)
	want := []pyjson.Member{{"b", `{"x": "é"}`}, {"a", "[ 1,NaN]"}, {"\xed\xa0\x80", "12345678901234567890"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Object is %q, %v, want %q", got, err, want)
	}
	if got, err := pyjson.Object("{}", 0); err != nil || len(got) != 0 {
		t.Errorf("an empty object is %q, %v", got, err)
	}
	for _, text := range []string{"", "null", "[]", `"a"`, "{} {}", "{", `{"a":1`, `{"a":1,}`, `{"a":01}`, `{"a":"` + "\n" + `"}`} {
		if got, err := pyjson.Object(text, 9); !errors.Is(err, pyjson.ErrSyntax) || got != nil {
			t.Errorf("Object(%q) is %q, %v, want ErrSyntax", text, got, err)
		}
	}
}

// The last of equal keys wins at the place of the first, also when there are
// too many keys to look at each.
func TestObjectManyKeys(t *testing.T) {
	var text strings.Builder
	var want []pyjson.Member
	for round := range 2 {
		for _, a := range "abcdefghijklmnopqrstuvwxyz" {
			raw := string('0' + rune(round))
			text.WriteString(`,"` + string(a) + `":` + raw)
			if round == 1 {
				want = append(want, pyjson.Member{Key: string(a), Raw: raw})
			}
		}
	}
	got, err := pyjson.Object("{"+text.String()[1:]+"}", 0)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Object is %v, %v", got, err)
	}
}

func TestArray(t *testing.T) {
	got, err := pyjson.Array(` [1.0, "a]" ,[ ],{"a":[]}] `, 2)
	if want := []string{"1.0", `"a]"`, "[ ]", `{"a":[]}`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Array is %q, %v, want %q", got, err, want)
	}
	for _, text := range []string{"", "{}", "[1,]", "[", "[1", "[1]x", "1"} {
		if _, err := pyjson.Array(text, 9); !errors.Is(err, pyjson.ErrSyntax) {
			t.Errorf("Array(%q): %v, want ErrSyntax", text, err)
		}
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if err := pyjson.Valid(nested(200), 200); err != nil {
		t.Errorf("200 deep: %v", err)
	}
	if err := pyjson.Valid(nested(201), 200); !errors.Is(err, pyjson.ErrDepth) {
		t.Errorf("201 deep: %v, want ErrDepth", err)
	}
	if _, err := pyjson.Object(`{"a":`+nested(200)+`}`, 200); err != nil {
		t.Errorf("a value 200 deep: %v", err)
	}
	if _, err := pyjson.Object(`{"a":`+nested(201)+`}`, 200); !errors.Is(err, pyjson.ErrDepth) {
		t.Errorf("a value 201 deep: %v, want ErrDepth", err)
	}
	// A million brackets are refused after the first few.
	if err := pyjson.Valid(strings.Repeat(`{"a":[`, 1e6), 200); !errors.Is(err, pyjson.ErrDepth) {
		t.Errorf("a million deep: %v, want ErrDepth", err)
	}
	if _, err := pyjson.Canonical(strings.Repeat(`[`, 1e6)); !errors.Is(err, pyjson.ErrDepth) {
		t.Errorf("a million deep: %v, want ErrDepth", err)
	}
}

// The escapes are those of CPython's py_encode_basestring_ascii.
func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"":                         `""`,
		"a/<>&'":                   `"a/<>&'"`,
		"\"\\\b\f\n\r\t":           `"\"\\\b\f\n\r\t"`,
		"\x00\x1f\x7f":             `"\u0000\u001f\u007f"`,
		"é\u2028😀":                 `"\u00e9\u2028\ud83d\ude00"`,
		"\xed\xa0\xbd":             `"\ud83d"`,
		"\xed\xb8\x80\xed\xa0\xbd": `"\ude00\ud83d"`,
		"\xff\xc3":                 `"\ufffd\ufffd"`,
	} {
		if got := pyjson.Quote(s); got != want {
			t.Errorf("Quote(%q) is %s, want %s", s, got, want)
		}
	}
}

func TestUnquote(t *testing.T) {
	for raw, want := range map[string]string{
		`""`:                   "",
		`"\/\u0041\u00e9é"`:    "/Aéé",
		`"\ud83d\ude00"`:       "😀",
		`"\uD83D"`:             "\xed\xa0\xbd",
		`"\ude00\ud83d\u0041"`: "\xed\xb8\x80\xed\xa0\xbdA",
	} {
		if got, ok := pyjson.Unquote(raw); !ok || got != want {
			t.Errorf("Unquote(%s) is %q, %v, want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{"", `"`, "a", "1", ` "a"`, `"a" `, `"\u12"`, `"\'"`, "\"\n\"", "\"\xff\"", `"a""`} {
		if got, ok := pyjson.Unquote(raw); ok {
			t.Errorf("Unquote(%q) is %q", raw, got)
		}
	}
}

func TestASCII(t *testing.T) {
	const raw = `{ "a" : 1.50, "é" : "\u00E9😀" }`
	if got, want := pyjson.ASCII(raw), `{ "a" : 1.50, "\u00e9" : "\u00E9\ud83d\ude00" }`; got != want {
		t.Errorf("ASCII is %s, want %s", got, want)
	}
}

func BenchmarkObject(b *testing.B) {
	const text = `{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"b04923e7876572d15862b490e625ae1d58435993ad81accec536aa1df2079eaf","cart":[1,2,{"n":3}]}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pyjson.Object(text, 200); err != nil {
			b.Fatal(err)
		}
	}
}
