package gate_test

import (
	"encoding/json"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/internal/vectortest"
)

// TestCookieHeaderVectors reads what Django's parse_cookie answered.
func TestCookieHeaderVectors(t *testing.T) {
	vectors, err := vectortest.Read[struct {
		ID, Header string
		Expected   json.RawMessage
	}](vectortest.Main, "cookie_header")
	if err != nil {
		t.Fatal(err)
	}
	g, err := gate.New(gate.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		var want map[string]string
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, pair := range gate.ParseCookies(v.Header) {
			if _, twice := got[pair.Name]; twice {
				t.Errorf("%s: %q comes twice", v.ID, pair.Name)
			}
			got[pair.Name] = pair.Value
		}
		for name, value := range want {
			if g, ok := got[name]; !ok || g != value {
				t.Errorf("%s: cookie %q is %q, Django reads %q", v.ID, name, g, value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d cookies, Django reads %d", v.ID, len(got), len(want))
		}
		key, present := g.SessionKey(gate.Request{Headers: []gate.Header{{Name: "Cookie", Value: v.Header}}})
		if value, ok := want["sessionid"]; key != value || present != ok {
			t.Errorf("%s: session key %q, %v; Django reads %q, %v", v.ID, key, present, value, ok)
		}
	}
	if len(vectors) != 24 {
		t.Fatalf("%d vectors, want 24", len(vectors))
	}
}
