package djsession_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
)

// cpython answers, for each line of base64 text, with whether the datetime has
// a time zone and with its microseconds since 1970, or "!" where Python refuses.
const cpython = `
import base64, datetime, sys
utc = datetime.timezone.utc
epoch = datetime.datetime(1970, 1, 1, tzinfo=utc)
for line in sys.stdin:
    text = base64.b64decode(line).decode()
    try:
        d = datetime.datetime.fromisoformat(text)
        aware = d.tzinfo is not None
        micros = ((d if aware else d.replace(tzinfo=utc)) - epoch) // datetime.timedelta(microseconds=1)
        print(aware, micros)
    except (ValueError, OverflowError):
        print("!")
`

// TestDatesAreCPython compares with fromisoformat of the machine's Python.
func TestDatesAreCPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3, 3.11 or newer, is needed in CI")
		}
		t.Skip("no python3 of 3.11 or newer")
	}
	exact, damaged := dates()
	texts := append(exact, damaged...)
	var in strings.Builder
	for _, text := range texts {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(text)) + "\n")
	}
	cmd := exec.Command(python, "-c", cpython)
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	store := newStore(t, djsession.Settings{})
	for i, text := range texts {
		if !lines.Scan() {
			t.Fatal("python answered too little")
		}
		sess := djsession.NewSession("", djsession.Item{Key: "_session_expiry", Raw: pyjson.Quote(text)})
		date, err := store.ExpiryDate(sess, start)
		got := "!"
		switch {
		case err == nil:
			got = fmt.Sprint("True ", date.UnixMicro())
		case errors.Is(err, djsession.ErrNaiveExpiry):
			got = fmt.Sprint("False ", date.UnixMicro())
		}
		if got == "!" && i >= len(exact) {
			continue // the C parser takes some damage for dates: "12:30:45x+00:00"
		}
		if got != lines.Text() {
			t.Errorf("%q is %s (%v), in Python %s", text, got, err, lines.Text())
		}
	}
}

// dates are dates in all formats and near misses, and damaged ones.
func dates() (exact, damaged []string) {
	days := []string{"2026-01-15", "20260115", "2024-02-29", "2023-02-29", "2026-W03", "2026W03", "2026-W03-4", "2026W034", "2026-W53-1", "2020-W53-7", "2021W537", "2026-W00-1", "2026-W01-8",
		"0001-01-01", "0001-W01-1", "9999-12-31", "9999-W52-5", "9999-W52-7", "0000-01-01", "2026-13-01", "2026-00-10", "2026-01-32", "2026-0115", "202601-15", "2026-1-15", "26-01-15", "2026-015", "2026015"}
	separators := []string{"T", " ", "t", "é", "😀", "-", "0", "+", "Z", ""}
	clocks := []string{"", "12", "12:30", "1230", "12:30:45", "123045", "12:30:45.5", "12:30:45,123456", "12:30:45.1234567", "123045.123", "12.5", "12:30.5", "24:00", "23:59:60", "12:60", "1", "12:3", "12:3045", "1230:45", "12:30:45.12x"}
	zones := []string{"", "Z", "z", "+00:00", "-00:00", "+05:30", "+0530", "+05", "-05:30:15", "-053015.25", "+05:30:15.000001", "+24:00", "-23:59:59.999999", "+00:60", "+00:00:00.25", "-00:00:00.000001", "+5", "+", "ZZ", "Z+00:00", "+05:3", "-05:30-05:30"}
	for _, day := range days {
		exact = append(exact, day)
		for _, sep := range separators {
			exact = append(exact, day+sep+"12:30:45+00:00", day+sep)
		}
	}
	for _, day := range days[:4] {
		for _, clock := range clocks {
			for _, zone := range zones {
				exact = append(exact, day+"T"+clock+zone)
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		s := days[r.IntN(len(days))] + separators[r.IntN(4)] + clocks[r.IntN(10)] + zones[r.IntN(8)]
		i := r.IntN(len(s))
		const bytes = "0123456789-:.+TWZ "
		s = s[:i] + string(bytes[r.IntN(len(bytes))]) + s[min(len(s), i+r.IntN(3)):]
		if utf8.ValidString(s) {
			damaged = append(damaged, s)
		}
	}
	return exact, damaged
}
