package pickle_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
)

var fuzzLimits = pickle.Limits{Bytes: 1 << 16, Values: 1 << 14, Expanded: 1 << 18}

// FuzzDecode: nothing panics; what is decoded is JSON, and comes back the same
// from every protocol.
func FuzzDecode(f *testing.F) {
	f.Add("\x80\x04}\x94.")
	f.Fuzz(func(t *testing.T, data string) {
		members, err := pickle.Decode(data, fuzzLimits)
		if err != nil {
			if !errors.Is(err, pickle.ErrUndecodable) || members != nil {
				t.Fatalf("%q is %v, %v", data, members, err)
			}
			return
		}
		for _, m := range members {
			if err := pyjson.Valid(m.Raw, 200); err != nil {
				t.Fatalf("%q: %v", m, err)
			}
		}
		for protocol := 2; protocol <= 5; protocol++ {
			again, err := pickle.Encode(members, protocol)
			if err != nil {
				t.Fatalf("%q is %q: %v", data, members, err)
			}
			if got, err := pickle.Decode(again, pickle.Limits{}); err != nil || !reflect.DeepEqual(got, members) {
				t.Fatalf("%q is %q, then %q, %v", data, members, got, err)
			}
		}
	})
}

// FuzzRoundTrip: what JSON says comes back as Python's json would write it, and
// a fragment is written only if Decode could have made it.
func FuzzRoundTrip(f *testing.F) {
	f.Add("key", `{"a":[1,2.50,"\u00e9\ud800",null]}`, "", 4)
	f.Fuzz(func(t *testing.T, key, raw, pickled string, protocol int) {
		if len(raw) > 1<<16 || len(pickled) > 1<<16 {
			return
		}
		data, err := pickle.Encode([]pickle.Member{{Key: key, Raw: raw, Pickled: pickled}}, protocol)
		if err != nil {
			return
		}
		got, err := pickle.Decode(data, pickle.Limits{})
		if err != nil {
			var refusal *pickle.Error
			if errors.As(err, &refusal) && refusal.Reason == pickle.ReasonInteger {
				return // a fragment may hold a few digits too many
			}
			t.Fatalf("%q, %q, %q is %q, which is refused: %v", key, raw, pickled, data, err)
		}
		if len(got) != 1 || got[0].Key != key {
			t.Fatalf("%q is %q", key, got)
		}
		if pickled != "" {
			return
		}
		want, err := pyjson.Canonical(raw)
		if err != nil || got[0].Raw != want || got[0].Pickled != "" {
			t.Fatalf("%q comes back as %q, not as %q (%v)", raw, got[0], want, err)
		}
	})
}
