package pickle_test

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/internal/vectortest"
)

type vector struct {
	ID, Section, Tag, Class string
	Protocol                *int
	B64                     string
	ExpectedJSON            string `json:"expected_json"`
}

func (v vector) data(t testing.TB) string {
	data, err := base64.StdEncoding.DecodeString(v.B64)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func vectors(t testing.TB) []vector {
	var out []vector
	for _, name := range []string{"django.json", "django-6.json"} {
		some, err := vectortest.Read[vector](name, "pickle")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, some...)
	}
	if len(out) < 300 {
		t.Fatalf("only %d vectors", len(out))
	}
	return out
}

// object is the session as one JSON object.
func object(members []pickle.Member) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pyjson.Quote(m.Key) + ":" + m.Raw)
	}
	return b.String() + "}"
}

// typed are the JSON views of the typed vectors that are decoded, each with the
// lowest protocol in which Python pickles it without a foreign call. The texts
// are those of isoformat() and Django's duration_iso_string().
var typed = map[string]struct {
	protocol int
	view     string
}{
	"typed/datetime-naive": {3, `"2026-01-02T03:04:05.000678"`},
	"typed/datetime-utc":   {3, `"2026-01-02T03:04:05+00:00"`},
	"typed/timedelta":      {2, `"P1DT00H00M02S"`},
	"typed/set":            {4, `[1,2]`},
	"typed/frozenset":      {4, `[1]`},
	"typed/bytes":          {3, `"\u0000\u00ff"`},
	"typed/bytearray":      {5, `"ab"`},
}

func TestVectors(t *testing.T) {
	counts := map[string]int{}
	for _, v := range vectors(t) {
		want := ""
		switch v.Class {
		case "safe":
			want = v.ExpectedJSON
		case "optional":
			if v.Tag == "odd/trailing-after-stop" { // the others are of protocols 0 and 1
				want = v.ExpectedJSON
			}
		case "typed":
			if allowed, ok := typed[v.Tag]; ok && *v.Protocol >= allowed.protocol {
				want = `{"v":` + allowed.view + `,"_session_expiry":5}`
			}
		case "hostile", "malformed", "resource":
			if v.Tag == "resource/many-marks" {
				want = "{}" // which Python reads as well, for marks are cheap
			}
		default:
			t.Fatalf("%s is of the unknown class %q", v.ID, v.Class)
		}
		members, err := pickle.Decode(v.data(t), pickle.Limits{})
		if want == "" {
			var refusal *pickle.Error
			if !errors.As(err, &refusal) || !errors.Is(err, pickle.ErrUndecodable) || members != nil {
				t.Errorf("%s %s is %v, %v", v.ID, v.Tag, members, err)
				continue
			}
			counts[v.Class+" refused"]++
			continue
		}
		counts[v.Class+" decoded"]++
		if got := object(members); err != nil || got != want {
			t.Errorf("%s %s is %s (%v), want %s", v.ID, v.Tag, got, err, want)
			continue
		}
		if v.Class == "typed" && (len(members) == 0 || members[0].Pickled == "" || members[1].Pickled != "") {
			t.Errorf("%s %s comes with the fragments %q", v.ID, v.Tag, members)
		}
		for protocol := 2; protocol <= 5; protocol++ {
			again, err := pickle.Encode(members, protocol)
			if err != nil {
				t.Errorf("%s: %v", v.ID, err)
				continue
			}
			if got, err := pickle.Decode(again, pickle.Limits{}); err != nil || !reflect.DeepEqual(got, members) {
				t.Errorf("%s in protocol %d comes back as %q (%v)", v.ID, protocol, got, err)
			}
		}
	}
	t.Log(counts)
}

// TestTruncated: no safe pickle, cut anywhere, is taken for a whole one.
func TestTruncated(t *testing.T) {
	for _, v := range vectors(t) {
		data := v.data(t)
		if v.Class != "safe" || len(data) > 2000 {
			continue
		}
		for n := range len(data) {
			_, err := pickle.Decode(data[:n], pickle.Limits{})
			if !errors.Is(err, pickle.ErrUndecodable) {
				t.Fatalf("%s %s is decoded when cut at %d: %v", v.ID, v.Tag, n, err)
			}
		}
	}
}
