package djuser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
)

var (
	zoe = djuser.ResetUser{ID: "7", Password: "md5$a$b", Email: "zoe@example.com",
		LastLogin: time.Date(2025, 1, 2, 3, 4, 5, 678901000, time.UTC)}
	madeAt = time.Unix(1772600765, 0)
	east   = time.FixedZone("EST", -5*60*60)
)

// Expected tokens: made by those releases of Django with TZ=EST5.
func TestResetTokenOfVersions(t *testing.T) {
	const modern = "d4w2y5-3360e05bed1ee300e1b8bca4a205512a"
	made := map[string]string{
		"2.2": "73d-7d9e51bbd959a31adedf", "3.0": "73d-7d9e51bbd959a31adedf",
		"3.1": "d4w2y5-fd5957e85130eca0d4df86168d686881",
		"3.2": modern, "4.0": modern, "4.1": modern, "4.2": modern, "5.2": modern,
	}
	for name, want := range made {
		release, err := version.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		tokens := resetTokens(release, "sekrit")
		tokens.Zone = east
		if got, err := tokens.Make(zoe, madeAt); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
		// Three days to the second, or to the end of the third day.
		last := madeAt.Add(3 * 24 * time.Hour)
		if !release.AtLeast(3, 1) {
			last = time.Date(2026, 3, 7, 23, 59, 59, 0, east)
		}
		if !tokens.Check(zoe, want, last) || tokens.Check(zoe, want, last.Add(time.Second)) {
			t.Errorf("%s: not good until %v alone", name, last)
		}
	}
	// 3.1 still took the tokens of 3.0. 3.2 does so for users without an address.
	old := made["3.0"]
	for name, want := range map[string]bool{"3.1": true, "3.2": false, "4.0": false} {
		release, _ := version.Parse(name)
		tokens := resetTokens(release, "sekrit")
		tokens.Zone = east
		at := time.Date(2026, 3, 7, 23, 59, 59, 0, east)
		if got := tokens.Check(zoe, old, at); got != want || tokens.Check(zoe, old, at.Add(time.Second)) {
			t.Errorf("%s takes a token of 3.0: %v", name, got)
		}
	}
}

func TestResetTokenRefusals(t *testing.T) {
	tokens := resetTokens(version.Default, "new", "sekrit")
	tokens.Zone = east
	token := "d4w2y5-3360e05bed1ee300e1b8bca4a205512a" // signed with the fallback
	if !tokens.Check(zoe, token, madeAt) {
		t.Error("a fallback does not verify")
	}
	before := resetTokens(version.Version{Major: 4, Minor: 0}, "new", "sekrit")
	before.Zone = east
	if before.Check(zoe, token, madeAt) {
		t.Error("a fallback verifies before 4.1")
	}
	for name, user := range map[string]djuser.ResetUser{
		"id":         {ID: "8", Password: zoe.Password, Email: zoe.Email, LastLogin: zoe.LastLogin},
		"password":   {ID: "7", Password: "md5$a$c", Email: zoe.Email, LastLogin: zoe.LastLogin},
		"email":      {ID: "7", Password: zoe.Password, Email: "z@example.com", LastLogin: zoe.LastLogin},
		"last login": {ID: "7", Password: zoe.Password, Email: zoe.Email, LastLogin: zoe.LastLogin.Add(time.Second)},
	} {
		if tokens.Check(user, token, madeAt) {
			t.Errorf("a token outlives another %s", name)
		}
	}
	for _, bad := range []string{"", "-", token + "-", "0" + token, "+" + token, strings.ToUpper(token), token[:len(token)-1], "d4w2y5", strings.Repeat("z", 14) + token[6:], "zzzzzzzzzzzzz" + token[6:]} {
		if tokens.Check(zoe, bad, madeAt) {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := tokens.Make(zoe, time.Unix(0, 0)); err == nil {
		t.Error("a token of 1970")
	}
	none := &djuser.ResetTokens{}
	if _, err := none.Make(zoe, madeAt); err == nil {
		t.Error("a token without a key")
	}
	if none.Check(zoe, token, madeAt) || tokens.CheckFor(nil, token, madeAt) {
		t.Error("a token without a key or a user is good")
	}
}

// A link dies with the password that it changes.
func TestResetTokenFor(t *testing.T) {
	s := newSite(t)
	s.add("zoe", "pw", true)
	tokens := resetTokens(version.Default, secret)
	user, err := s.users.Load(t.Context(), s.fake, "1")
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.MakeFor(user, now)
	if err != nil || !tokens.CheckFor(user, token, now) {
		t.Fatal(token, err)
	}
	if err := s.users.SetPassword(t.Context(), s.fake, "1", "another"); err != nil {
		t.Fatal(err)
	}
	if user, err = s.users.Load(t.Context(), s.fake, "1"); err != nil {
		t.Fatal(err)
	}
	if tokens.CheckFor(user, token, now) {
		t.Error("the link works twice")
	}
}

func FuzzResetToken(f *testing.F) {
	f.Add("d4w2y5-3360e05bed1ee300e1b8bca4a205512a", "Nw")
	f.Add("73d-7d9e51bbd959a31adedf", "Nw==")
	releases := []version.Version{{Major: 2, Minor: 2}, {Major: 3, Minor: 1}, {Major: 3, Minor: 2}, {Major: 5, Minor: 2}}
	f.Fuzz(func(t *testing.T, token, uid string) {
		for _, release := range releases {
			tokens := resetTokens(release, "sekrit", "older")
			tokens.Zone = east
			if !tokens.Check(zoe, token, madeAt) {
				continue
			}
			if digits, _, _ := strings.Cut(token, "-"); len(token) != len(digits)+1+20 && len(token) != len(digits)+1+32 {
				t.Errorf("%v takes %q", release, token)
			}
			if other := (djuser.ResetUser{ID: "8", Password: zoe.Password}); tokens.Check(other, token, madeAt) {
				t.Errorf("%v takes %q for anybody", release, token)
			}
		}
		if id, ok := djuser.DecodeUID(uid); ok {
			if again, ok := djuser.DecodeUID(djuser.EncodeUID(id)); !ok || again != id {
				t.Errorf("%q is %q, and then %q", uid, id, again)
			}
		}
	})
}

func ExampleResetTokens() {
	tokens := djuser.ResetTokens{Keys: signing.Ring{Current: signing.Derive(signing.SHA256, djuser.ResetTokenSalt, "the site's SECRET_KEY")}}
	user := djuser.ResetUser{ID: "7", Password: "pbkdf2_sha256$…", Email: "zoe@example.com"}
	made := time.Date(2026, 3, 4, 5, 6, 5, 0, time.UTC)
	token, err := tokens.Make(user, made)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(djuser.EncodeUID(user.ID), len(token))
	fmt.Println(tokens.Check(user, token, made.Add(72*time.Hour)), tokens.Check(user, token, made.Add(73*time.Hour)))
	user.Password = "pbkdf2_sha256$ another"
	fmt.Println(tokens.Check(user, token, made))
	// Output:
	// Nw 39
	// true false
	// false
}
