package password

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// TestAgainstPython compares with OpenSSL and crypt(3) through Python, which is
// where Django's own answers come from. It is an addition to the published
// vectors, for machines that have Python.
func TestAgainstPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is needed in CI")
		}
		t.Skip("no python3")
	}
	type question struct {
		Kind           string
		Password, Salt string // hex
		N, R, P, Len   uint32
	}
	var questions []question
	random := testRandom()
	pick := func(bound int) int {
		b, _ := random(t.Context(), 2)
		return (int(b[0])<<8 | int(b[1])) % bound
	}
	text := func(n int) string {
		b, _ := random(t.Context(), n)
		return hex.EncodeToString(b)
	}
	for range 40 {
		questions = append(questions,
			question{Kind: "sha256", Password: text(pick(140)), Salt: text(pick(140)), N: uint32(1 + pick(9000)), Len: uint32(1 + pick(80))},
			question{Kind: "sha1", Password: text(pick(140)), Salt: text(pick(140)), N: uint32(1 + pick(9000)), Len: uint32(1 + pick(80))},
			question{Kind: "scrypt", Password: text(pick(80)), Salt: text(pick(40)), N: 2 << pick(9), R: uint32(2 + pick(8)), P: uint32(1 + pick(4)), Len: 64},
		)
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import hashlib, json, sys
answers = []
for q in json.load(sys.stdin):
    password, salt = bytes.fromhex(q["Password"]), bytes.fromhex(q["Salt"])
    if q["Kind"] == "scrypt":
        key = hashlib.scrypt(password, salt=salt, n=q["N"], r=q["R"], p=q["P"], maxmem=0, dklen=q["Len"])
    else:
        key = hashlib.pbkdf2_hmac(q["Kind"], password, salt, q["N"], q["Len"])
    answers.append(key.hex())
json.dump(answers, sys.stdout)
`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v", err)
	}
	var answers []string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, q := range questions {
		password, salt := unhex(t, q.Password), unhex(t, q.Salt)
		p := Params{Function: PBKDF2SHA256, Iterations: q.N, KeyLen: q.Len}
		switch q.Kind {
		case "sha1":
			p.Function = PBKDF2SHA1
		case "scrypt":
			p = Params{Function: Scrypt, N: q.N, R: q.R, Parallelism: q.P, KeyLen: q.Len}
		}
		key, err := Derive(t.Context(), nil, p, password, salt)
		if got := hex.EncodeToString(key); err != nil || got != answers[i] {
			t.Errorf("%+v = %s, %v; Python says %s", q, got, err, answers[i])
		}
	}
}
