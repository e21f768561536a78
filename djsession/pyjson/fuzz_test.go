package pyjson_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/pyjson"
)

// FuzzPyJSON: nothing panics, the entry points agree on what is JSON, and
// canonical text is ASCII and stays as it is.
func FuzzPyJSON(f *testing.F) {
	for _, text := range []string{`{"a":1.0,"\ud800":[NaN,"é"],"a":-1E400}`, " [1, 2e5 ] ", `"\ud83d\ude00"`, "-Infinity"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		valid := pyjson.Valid(text, 900) == nil
		canonical, err := pyjson.Canonical(text)
		if valid && err != nil {
			t.Fatalf("%q is valid but has no canonical form: %v", text, err)
		}
		if members, err := pyjson.Object(text, 899); err == nil {
			if !valid {
				t.Fatalf("%q is an object but not valid", text)
			}
			for _, m := range members {
				if pyjson.Valid(m.Raw, 899) != nil {
					t.Fatalf("%q has the member %q", text, m)
				}
				if s, ok := pyjson.Unquote(pyjson.Quote(m.Key)); !ok || len(s) < len(m.Key) {
					t.Fatalf("key %q quotes as %q", m.Key, pyjson.Quote(m.Key))
				}
			}
		}
		if elements, err := pyjson.Array(text, 899); err == nil {
			for _, e := range elements {
				if !valid || pyjson.Valid(e, 899) != nil {
					t.Fatalf("%q has the element %q", text, e)
				}
			}
		}
		if err != nil {
			return
		}
		for i := range len(canonical) {
			if canonical[i] >= 0x80 {
				t.Fatalf("%q is not ASCII: %q", text, canonical)
			}
		}
		if again, err := pyjson.Canonical(canonical); err != nil || again != canonical {
			t.Fatalf("%q is %q, then %q, %v", text, canonical, again, err)
		}
		if ascii, err := pyjson.Canonical(pyjson.ASCII(text)); err != nil || ascii != canonical {
			t.Fatalf("%q is %q, but as ASCII %q, %v", text, canonical, ascii, err)
		}
	})
}
