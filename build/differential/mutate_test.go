package differential

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// seeds are the texts that mutations start from: fields of the vectors, by section.
type seeds map[string][]map[string]json.RawMessage

func loadSeeds(t testing.TB) seeds {
	t.Helper()
	files, err := filepath.Glob("../../testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no vectors", err)
	}
	out := seeds{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Vectors []map[string]json.RawMessage `json:"vectors"`
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range file.Vectors {
			var section string
			_ = json.Unmarshal(v["section"], &section)
			out[section] = append(out[section], v)
		}
	}
	return out
}

// text draws a text field of a section.
func (s seeds) text(r *rand.Rand, section, field string) string {
	vectors := s[section]
	for range 20 {
		var text string
		if json.Unmarshal(vectors[r.IntN(len(vectors))][field], &text) == nil && len(text) < 3000 {
			return text
		}
	}
	return ""
}

// alphabet is what texts are mutated with: what parsers care about.
var alphabet = []rune("  \t\n\r\v\f\x00\x1c\x1f\x7f\u0085\u00a0\u00ad\u2003\u2028\u3000\u200b\ufeff;=,\"'\\/:@?#%[]{}()<>$&+-_.~!*0123456789aAbBeEfFnNtTuUzZ" +
	"éÅİıſßΣςﬁﬀ½①²١۵१Ⅷ名한\u0301\u0345\u1100\u1161\u11a8\u212b\uff0f\uff20\uff1a\uff11\ufe0f\u202e\U0001f600\U00010400\U0001d49c")

// mutate changes a few places of a text.
func mutate(r *rand.Rand, text, other string, words []string) string {
	runes := []rune(text)
	for range 1 + r.IntN(4) {
		at := 0
		if len(runes) > 0 {
			at = r.IntN(len(runes) + 1)
		}
		switch r.IntN(8) {
		case 0, 1: // put in
			runes = insert(runes, at, alphabet[r.IntN(len(alphabet))])
		case 2: // take out
			if at < len(runes) {
				runes = append(runes[:at:at], runes[at+1:]...)
			}
		case 3: // replace
			if at < len(runes) {
				runes = append(append(runes[:at:at], alphabet[r.IntN(len(alphabet))]), runes[at+1:]...)
			}
		case 4: // double a stretch
			end := min(len(runes), at+1+r.IntN(8))
			runes = insert(runes, at, runes[at:end]...)
		case 5: // splice another text in
			o := []rune(other)
			if len(o) > 0 {
				from := r.IntN(len(o))
				runes = insert(runes, at, o[from:min(len(o), from+1+r.IntN(20))]...)
			}
		case 6: // a word of the format
			if len(words) > 0 {
				runes = insert(runes, at, []rune(words[r.IntN(len(words))])...)
			}
		case 7: // any character that is assigned
			runes = insert(runes, at, rune(r.IntN(0xd7ff)))
		}
	}
	return string(runes)
}

func insert(runes []rune, at int, more ...rune) []rune {
	out := make([]rune, 0, len(runes)+len(more))
	return append(append(append(out, runes[:at]...), more...), runes[at:]...)
}

// mutateBytes changes a few bytes.
func mutateBytes(r *rand.Rand, data []byte) []byte {
	out := append([]byte(nil), data...)
	for range 1 + r.IntN(3) {
		if len(out) == 0 {
			return []byte{byte(r.IntN(256))}
		}
		at := r.IntN(len(out))
		switch r.IntN(4) {
		case 0:
			out[at] ^= 1 << r.IntN(8)
		case 1:
			out[at] = byte(r.IntN(256))
		case 2:
			out = append(out[:at:at], out[at+1:]...)
		case 3:
			out = append(out[:at:at], append([]byte{byte(r.IntN(256))}, out[at:]...)...)
		}
	}
	return out
}
