package signing_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/internal/vectortest"
)

// vector is one answer of a real Django; each section fills some fields.
type vector struct {
	ID, Section, Django, Tag, Note string

	Secret, Salt, Algorithm string
	Fallbacks               []string
	Value                   json.RawMessage
	Signed, Cookie          string
	KeySalt                 string `json:"key_salt"`
	CookieName              string `json:"cookie_name"`
	PasswordField           string `json:"password_field"`
	Timestamp               int64
	Now                     float64
	MaxAge                  *float64 `json:"max_age"`
	Compress, Compressed    bool
	ExpectedJSON            string `json:"expected_json"`
	JSONEquals              bool   `json:"json_equals_expected"`
	Expected                json.RawMessage
}

func (v vector) text(t *testing.T) (s string) {
	t.Helper()
	if err := json.Unmarshal(v.Value, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (v vector) expectedText(t *testing.T) (s string) {
	t.Helper()
	if err := json.Unmarshal(v.Expected, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome reads {"value": …} or {"error": …}.
func (v vector) outcome(t *testing.T) (o struct{ Value, Error string }) {
	t.Helper()
	if err := json.Unmarshal(v.Expected, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// sha1 reports whether the vector's Django signs with SHA-1, and both whether it also reads that.
func (v vector) sha1() bool { return v.Django < "3.1" }
func (v vector) both() bool { return !v.sha1() && v.Django < "4.0" }

// rings are the keys that the vector's Django verifies with.
func (v vector) rings(salt string) []signing.Ring {
	ring := func(alg signing.Algorithm) signing.Ring {
		r := signing.Ring{Current: signing.Derive(alg, salt+"signer", v.Secret)}
		for _, f := range v.Fallbacks {
			r.Fallbacks = append(r.Fallbacks, signing.Derive(alg, salt+"signer", f))
		}
		return r
	}
	switch {
	case v.sha1():
		return []signing.Ring{ring(signing.SHA1)}
	case v.both():
		return []signing.Ring{ring(signing.SHA256), ring(signing.SHA1)}
	}
	return []signing.Ring{ring(signing.SHA256)}
}

func (v vector) now() time.Time {
	whole, fraction := math.Modf(v.Now)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000)
}

func (v vector) maxAge() time.Duration {
	if v.MaxAge == nil {
		return -1
	}
	return time.Duration(*v.MaxAge * float64(time.Second))
}

func algorithm(t *testing.T, name string) signing.Algorithm {
	t.Helper()
	alg, err := signing.ParseAlgorithm(name)
	if err != nil {
		t.Fatal(err)
	}
	return alg
}

var readVectors = sync.OnceValues(func() ([]vector, error) {
	return vectortest.Read[vector](vectortest.Main, "salted_hmac", "signer", "signer_fallback", "timestamp_signer", "b62", "signing_dumps",
		"signed_cookie", "http_signed_cookie", "auth_hash", "auth_hash_fallbacks")
})

// each runs f for every vector of a section and fails when there are none.
func each(t *testing.T, section string, f func(t *testing.T, v vector)) {
	t.Helper()
	all, err := readVectors()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range all {
		if v.Section == section {
			n++
			t.Run(v.ID, func(t *testing.T) { f(t, v) })
		}
	}
	if n == 0 {
		t.Fatalf("no vectors in section %s", section)
	}
}

func TestVectorsSaltedHMAC(t *testing.T) {
	each(t, "salted_hmac", func(t *testing.T, v vector) {
		got := hex.EncodeToString(signing.SaltedHMAC(algorithm(t, v.Algorithm), v.KeySalt, v.text(t), v.Secret))
		if want := v.expectedText(t); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestVectorsSigner(t *testing.T) {
	each(t, "signer", func(t *testing.T, v vector) {
		key := signing.Derive(algorithm(t, v.Algorithm), v.Salt+"signer", v.Secret)
		signed := signing.Sign(v.text(t), key)
		if want := v.expectedText(t); signed != want {
			t.Errorf("signed %q, want %q", signed, want)
		}
		if got, err := signing.Unsign(signed, signing.Ring{Current: key}); err != nil || got != v.text(t) {
			t.Errorf("unsigned %q, %v", got, err)
		}
	})
}

func TestVectorsSignerFallback(t *testing.T) {
	each(t, "signer_fallback", func(t *testing.T, v vector) {
		got, err := signing.Unsign(v.Signed, v.rings(v.Salt)...)
		want := v.outcome(t)
		if want.Error != "" && !errors.Is(err, signing.ErrBadSignature) || want.Error == "" && err != nil || got != want.Value {
			t.Errorf("got %q, %v, want %+v", got, err, want)
		}
	})
}

func TestVectorsTimestampSigner(t *testing.T) {
	each(t, "timestamp_signer", func(t *testing.T, v vector) {
		rings := v.rings(v.Salt)
		if got := signing.SignTimestamp(v.text(t), rings[0].Current, time.Unix(v.Timestamp, 999)); got != v.Signed {
			t.Errorf("signed %q, want %q", got, v.Signed)
		}
		got, at, err := signing.UnsignTimestamp(v.Signed, v.now(), v.maxAge(), rings...)
		want := v.outcome(t)
		switch {
		case want.Error == "SignatureExpired" && !errors.Is(err, signing.ErrExpired):
			t.Errorf("got %q, %v, want expired", got, err)
		case want.Error == "" && (err != nil || got != want.Value):
			t.Errorf("got %q, %v, want %q", got, err, want.Value)
		case at.Unix() != v.Timestamp:
			t.Errorf("signed at %v, want %d", at, v.Timestamp)
		}
	})
}

func TestVectorsB62(t *testing.T) {
	each(t, "b62", func(t *testing.T, v vector) {
		var n int64
		if err := json.Unmarshal(v.Value, &n); err != nil {
			t.Fatal(err)
		}
		want := v.expectedText(t)
		if got := signing.EncodeB62(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
		if got, err := signing.DecodeB62(want); err != nil || got != n {
			t.Errorf("%q is %d, %v, want %d", want, got, err, n)
		}
		if got, err := signing.DecodeB62("-" + want); err != nil || got != -n {
			t.Errorf("-%q is %d, %v, want %d", want, got, err, -n)
		}
	})
}

func TestVectorsDumps(t *testing.T) {
	each(t, "signing_dumps", func(t *testing.T, v vector) {
		rings := v.rings(v.Salt)
		at := time.Unix(v.Timestamp, 0)
		text, err := signing.Loads(v.Signed, at, 0, 1<<20, rings...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pyjson.Canonical(text); err != nil || got != v.ExpectedJSON {
			t.Errorf("loaded %q, %v, want %q", got, err, v.ExpectedJSON)
		}
		if !v.JSONEquals {
			return
		}
		ours := signing.Dumps(v.ExpectedJSON, rings[0].Current, v.Compress, at)
		if !v.Compressed && ours != v.Signed {
			t.Errorf("dumped %q, want %q", ours, v.Signed)
		}
		// Another deflate may shorten what zlib does not, but is near to it.
		if got, err := signing.Loads(ours, at, 0, 1<<20, rings...); err != nil || got != v.ExpectedJSON {
			t.Errorf("dumped %q, which loads as %q, %v", ours, got, err)
		}
	})
}

func TestVectorsSignedCookie(t *testing.T) {
	each(t, "signed_cookie", func(t *testing.T, v vector) {
		text, err := signing.Loads(v.Cookie, v.now(), v.maxAge(), 1<<20, v.rings(signing.CookieSalt)...)
		got := "{}" // Django's answer to every error
		if err == nil {
			got, err = pyjson.Canonical(text)
		}
		if got != v.ExpectedJSON {
			t.Errorf("%s: got %q, %v, want %q", v.Tag, got, err, v.ExpectedJSON)
		}
	})
}

func TestVectorsHTTPSignedCookie(t *testing.T) {
	each(t, "http_signed_cookie", func(t *testing.T, v vector) {
		key := signing.DeriveCookie(v.CookieName, v.Salt, v.Secret)
		if got, want := signing.SignTimestamp(v.text(t), key, time.Unix(v.Timestamp, 0)), v.expectedText(t); got != want {
			t.Errorf("signed %q, want %q", got, want)
		}
	})
}

func TestVectorsAuthHash(t *testing.T) {
	each(t, "auth_hash", func(t *testing.T, v vector) {
		keys := signing.DeriveKeys("", v.Secret, nil)
		ring := keys.AuthHash
		if v.Algorithm == "sha1" {
			ring = keys.AuthHashSHA1
		}
		if got, want := hex.EncodeToString(ring.Current.MAC([]byte(v.PasswordField))), v.expectedText(t); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	each(t, "auth_hash_fallbacks", func(t *testing.T, v vector) {
		var got, want []string
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		for _, k := range signing.DeriveKeys("", v.Secret, v.Fallbacks).AuthHash.Fallbacks {
			got = append(got, hex.EncodeToString(k.MAC([]byte(v.PasswordField))))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// A signature is a text: what decodes to the same bytes is another text.
func TestSignatureText(t *testing.T) {
	each(t, "signer", func(t *testing.T, v vector) {
		ring := signing.Ring{Current: signing.Derive(algorithm(t, v.Algorithm), v.Salt+"signer", v.Secret)}
		signed := v.expectedText(t)
		i := strings.LastIndexByte(signed, ':') + 1
		value, signature := signed[:i], signed[i:]
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{
			"", signature + "=", signature + "\n", " " + signature, signature[:len(signature)-1], signature + "A", ":" + signature,
			base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), hex.EncodeToString(raw), string(raw),
		} {
			if got, err := signing.Unsign(value+other, ring); !errors.Is(err, signing.ErrBadSignature) || got != "" {
				t.Errorf("%q: got %q, %v", value+other, got, err)
			}
		}
	})
}
