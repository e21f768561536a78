package pickle_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/pickle"
)

// pytzExpiry is what Django 2.2.28 with pytz 2026.6 keeps in a cache for
// set_expiry(timedelta(days=1)) at 2026-01-15 12:00:00.25 UTC, by protocol.
// Django 3.2.25 keeps the same.
var pytzExpiry = map[int]string{
	3: "gAN9cQBYDwAAAF9zZXNzaW9uX2V4cGlyeXEBY2RhdGV0aW1lCmRhdGV0aW1lCnECQwoH6gEQDAAAA9CQcQNjcHl0egpfVVRDCnEEKVJxBYZxBlJxB3Mu",
	4: "gASVUgAAAAAAAAB9lIwPX3Nlc3Npb25fZXhwaXJ5lIwIZGF0ZXRpbWWUjAhkYXRldGltZZSTlEMKB+oBEAwAAAPQkJSMBHB5dHqUjARfVVRDlJOUKVKUhpRSlHMu",
	5: "gAWVUgAAAAAAAAB9lIwPX3Nlc3Npb25fZXhwaXJ5lIwIZGF0ZXRpbWWUjAhkYXRldGltZZSTlEMKB+oBEAwAAAPQkJSMBHB5dHqUjARfVVRDlJOUKVKUhpRSlHMu",
}

func TestExpiryInPytzUTC(t *testing.T) {
	for protocol, text := range pytzExpiry {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // and as it is written again
			members, err := pickle.Decode(string(data), pickle.Limits{})
			if err != nil || len(members) != 1 || members[0].Key != "_session_expiry" || members[0].Raw != `"2026-01-16T12:00:00.250000+00:00"` {
				t.Fatalf("protocol %d: %+v, %v", protocol, members, err)
			}
			again, err := pickle.Encode(members, protocol)
			if err != nil || !strings.Contains(again, "cpytz\n_UTC\n)R") {
				t.Fatalf("protocol %d: written again as %q, %v", protocol, again, err)
			}
			data = []byte(again)
		}
	}
	// Nothing else of pytz, and it has no arguments.
	for _, ops := range []string{"cpytz\n_UTC\n", "cpytz\n_UTC\nN\x85R", "cpytz\ntimezone\n)R", "cpytz\n_UTCx\n)R", "cdatetime\n_UTC\n)R", "cpytz\ndatetime\n)R", "\x8c\x04pytz\x8c\x08datetime\x93)R"} {
		if _, err := pickle.Decode(in(ops), pickle.Limits{}); !errors.Is(err, pickle.ErrUndecodable) {
			t.Errorf("%q is read", ops)
		}
	}
}
