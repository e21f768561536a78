package pyjson_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pyjson"
)

// cpython answers, for each line of base64 text, with json.dumps(json.loads(text))
// in base64, or "!" where Python refuses.
const cpython = `
import base64, json, sys
for line in sys.stdin:
    try:
        text = base64.b64decode(line).decode()
        out = json.dumps(json.loads(text), separators=(",", ":"))
        print(base64.b64encode(out.encode()).decode())
    except (ValueError, RecursionError):
        print("!")
`

// TestCanonicalIsCPython compares with the json module of the machine's Python.
func TestCanonicalIsCPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is needed in CI")
		}
		t.Skip("no python3")
	}
	texts := texts()
	cmd := exec.Command(python, "-c", cpython)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		w := bufio.NewWriter(in)
		for _, text := range texts {
			io.WriteString(w, base64.StdEncoding.EncodeToString([]byte(text))+"\n")
		}
		w.Flush()
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for i, text := range texts {
		if !lines.Scan() {
			t.Fatalf("python stopped at %q: %v", text, lines.Err())
		}
		got, err := pyjson.Canonical(text)
		if lines.Text() == "!" {
			if err == nil {
				t.Errorf("%d: %q is %q, but Python refuses it", i, text, got)
			}
			continue
		}
		want, decodeErr := base64.StdEncoding.DecodeString(lines.Text())
		if decodeErr != nil {
			t.Fatal(decodeErr)
		}
		if err != nil || got != string(want) {
			t.Errorf("%d: %q is %q (%v), in Python %q", i, text, got, err, want)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// texts are JSON and near misses: chosen, generated and damaged.
func texts() []string {
	chosen := []string{
		"", " ", "{}", "[]", " { } ", "\t[\n]\r", "[1,]", "{,}", `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{'a':1}`, "[", "]", "[1", `{"a":1`, "[[]", "[]]",
		"null", "nul", "nulll", "true", "True", "false", "NaN", "-NaN", "Infinity", "-Infinity", "+Infinity", "inf", "-I",
		"0", "-0", "00", "01", "-01", "1", "-", "+1", "1.", ".5", "1.5", "-0.0", "0e0", "1e5", "1E+2", "1e-5", "1e", "1e+", "1.e5", "1e400", "-1e400", "1e-400", "0x1", "1_0", "١",
		"123456789012345678901234567890", "-123456789012345678901234567890",
		"9007199254740993.0", "1e16", "1e15", "123456789012345680.0", "12345678901234567e0", "0.0001", "0.00001", "0.000123456789", "5e-324", "2.5e-324", "1.7976931348623157e308", "1.7976931348623159e308", "100000000000000000000000.0", "1e22", "1e21", "0.1", "0.30000000000000004",
		`"a"`, `"`, `""`, `"\`, `"\"`, `"\\"`, `"\/"`, `"\b\f\n\r\t"`, `"\x"`, `"\u"`, `"\u12"`, `"\u00e9"`, `"\u00E9"`, `"\u00g0"`, `"\u+123"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx\ude00"`, `"\ud83d\n"`, `"\ud83d\u0041"`,
		`"é€😀"`, "\"\x7f\"", "\"\u0080\u2028\u2029\ufeff\"", "\"a\nb\"", "\"a\x00b\"", "\"\xed\xa0\x80\"", "\"\xed\xa0\xbd\xed\xb8\x80\"", "\ufeff{}", "\u00a01", "\"<>&/'\"",
		`{"a":1,"a":2}`, `{"a":1,"b":2,"a":3}`, `{"a":1,"\u0061":[{"x":1,"x":2}]}`, `{"":0,"":1}`, `{"b":{"a":1,"a":{"c":1}},"b":{"d":0,"d":1.50}}`,
		`{"a":1} x`, `{"a":1}{}`, `{"a" : [ 1 , 2.0 , "x" ] }`, "[1 2]", `["a" "b"]`, `{"a" 1}`, `{1:2}`, `{null:2}`, "// x\n1", "[1,,2]",
		strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
		strings.Repeat("1", 4300), strings.Repeat("1", 4301), "-" + strings.Repeat("9", 4300), "-" + strings.Repeat("9", 4301), strings.Repeat("1", 4301) + ".0",
	}
	var many strings.Builder
	for i := range 100 {
		many.WriteString(`,"k` + strconv.Itoa(i%37) + `":` + strconv.Itoa(i))
	}
	out := append(chosen, "{"+many.String()[1:]+"}")
	r := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		out = append(out, strconv.FormatFloat(randomFloat(r), "eEgf"[r.IntN(4)], -1, 64))
	}
	for range 3000 {
		text := randomJSON(r, 4)
		out = append(out, text)
		if len(text) > 0 { // damaged, but still text
			i := r.IntN(len(text))
			const bytes = "{}[]\",:\\u0e-+. \x01ntf9"
			damaged := text[:i] + string(bytes[r.IntN(len(bytes))]) + text[min(len(text), i+r.IntN(3)):]
			out = append(out, strings.ToValidUTF8(damaged, "?"))
		}
	}
	return out
}

// randomFloat has any exponent and few or many digits.
func randomFloat(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0
		}
		return f
	case 1:
		return float64(r.IntN(2000)-1000) * math.Pow10(r.IntN(60)-30)
	case 2:
		return float64(r.Int64()) / 1000
	}
	return r.NormFloat64()
}

func randomJSON(r *rand.Rand, depth int) string {
	var b strings.Builder
	space := func() { b.WriteString([]string{"", "", "", " ", "\n\t"}[r.IntN(5)]) }
	kind := r.IntN(7)
	if depth == 0 {
		kind = r.IntN(5)
	}
	space()
	switch kind {
	case 0:
		b.WriteString([]string{"null", "true", "false", "NaN", "-Infinity"}[r.IntN(5)])
	case 1:
		b.WriteString(strconv.FormatInt(r.Int64()>>r.IntN(63), 10))
	case 2:
		b.WriteString(strconv.FormatFloat(randomFloat(r), 'g', -1, 64))
	case 3, 4:
		b.WriteString(randomString(r))
	case 5:
		b.WriteByte('[')
		for i := range r.IntN(4) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(randomJSON(r, depth-1))
		}
		b.WriteByte(']')
	case 6:
		b.WriteByte('{')
		for i := range r.IntN(5) {
			if i > 0 {
				b.WriteByte(',')
				space()
			}
			b.WriteString(randomString(r))
			space()
			b.WriteString(":" + randomJSON(r, depth-1))
		}
		b.WriteByte('}')
	}
	space()
	return b.String()
}

func randomString(r *rand.Rand) string {
	parts := []string{"a", "b", `\u0061`, "é", `\u00e9`, "😀", `\ud83d`, `\ude00`, `\n`, `\"`, `\\`, `\/`, "\x7f", "<", "\u2028", "\xed\xa0\xbd", "\xed\xb8\x80"}
	s := `"`
	for range r.IntN(4) {
		s += parts[r.IntN(len(parts))]
	}
	return s + `"`
}
