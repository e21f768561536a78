package djuser_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/internal/vectortest"
)

// formVector is what real Django answered about a password, an address or a
// reset token.
type formVector struct {
	ID, Section, Django, Tag string
	Expected                 json.RawMessage
	Password                 string
	User                     struct {
		PK        json.Number
		Password  string
		Email     string
		Username  string
		FirstName string  `json:"first_name"`
		LastName  string  `json:"last_name"`
		LastLogin *string `json:"last_login"`
	}
	A, B           string
	UIDB64, Secret string
	Fallbacks      []string
	Token          string
	MadeAt         string `json:"made_at_naive_local"`
	Now            string `json:"now_naive_local"`
	Timeout        int64
}

var formVectors = sync.OnceValues(func() ([]formVector, error) {
	return vectortest.Read[formVector](vectortest.Main, "password_validation", "unicode_ci_compare", "reset_token")
})

func eachForm(t *testing.T, section string, n int, test func(*testing.T, formVector)) {
	t.Helper()
	all, err := formVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Section == section {
			n--
			t.Run(v.ID+"/"+v.Tag, func(t *testing.T) { test(t, v) })
		}
	}
	if n != 0 {
		t.Errorf("%d vectors are missing", n)
	}
}

func TestPasswordValidationVectors(t *testing.T) {
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		t.Fatal(err)
	}
	eachForm(t, "password_validation", 60, func(t *testing.T, v formVector) {
		got := validators.Validate(v.Password, func(name string) string {
			return map[string]string{"username": v.User.Username, "first_name": v.User.FirstName, "last_name": v.User.LastName, "email": v.User.Email}[name]
		})
		var want []string
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", v.Password, got, want)
		}
	})
}

func TestSameIdentifierVectors(t *testing.T) {
	eachForm(t, "unicode_ci_compare", 7, func(t *testing.T, v formVector) {
		want := string(v.Expected) == "true"
		if djuser.SameIdentifier(v.A, v.B) != want || djuser.SameIdentifier(v.B, v.A) != want {
			t.Errorf("%q and %q: want %v", v.A, v.B, want)
		}
	})
}

// Expected values: Unicode's CaseFolding.txt, by way of Python's casefold.
func TestSameIdentifierFolds(t *testing.T) {
	for _, pair := range [][2]string{
		{"ΣΑΣ", "σας"}, {"ᾈ", "ἀι"}, {"ᾯ", "ὧΙ"}, {"ῼ", "ωι"}, {"ΐ", "ι\u0308\u0301"}, {"ẞ", "SS"}, {"ﬃ", "FFI"}, {"Ꭰ", "ꭰ"}, {"ſ", "S"}, {"ǅ", "Ǆ"},
		{"ẗ", "T\u0308"}, {"ẘ", "W\u030a"}, {"µ", "Μ"}, {"\u0345", "ι"}, {"Ⓐ", "a"}, {"𐐀", "𐐨"},
	} {
		if !djuser.SameIdentifier(pair[0], pair[1]) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"ı", "i"}, {"I", "ı"}, {"é", "e"}, {"", "a"}, {"ἀ", "ἀι"}, {"İ", "i"}, {"\u0390", "\u03aa\u0301"}} {
		if djuser.SameIdentifier(pair[0], pair[1]) {
			t.Errorf("%q and %q are not one", pair[0], pair[1])
		}
	}
}

// Expected values: the validators of Django 5.2.
func TestPasswordValidatorOptions(t *testing.T) {
	zoe := func(name string) string {
		return map[string]string{"username": "zoe", "nick": "butterfly", "email": "a@example.com."}[name]
	}
	for _, c := range []struct {
		validator djuser.PasswordValidator
		password  string
		attribute func(string) string
		want      string
	}{
		{djuser.PasswordValidator{Name: "MinimumLengthValidator", MinLength: 4}, "éééé", nil, ""},
		{djuser.PasswordValidator{Name: "MinimumLengthValidator", MinLength: 5}, "éééé", nil, djuser.PasswordTooShort},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator"}, "butterfly", zoe, ""},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator", UserAttributes: []string{"nick"}}, "flutterby", zoe, djuser.PasswordTooSimilar},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator", UserAttributes: []string{"nick"}}, "flutterby", nil, ""},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator", MaxSimilarity: 1}, "zoe1", zoe, ""},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator", MaxSimilarity: 1}, "eoz", zoe, djuser.PasswordTooSimilar},
		{djuser.PasswordValidator{Name: "UserAttributeSimilarityValidator"}, "", zoe, djuser.PasswordTooSimilar}, // the empty part after the last dot
		{djuser.PasswordValidator{Name: "CommonPasswordValidator", Common: []string{"hunter2 "}}, " HUNTER2", nil, djuser.PasswordTooCommon},
		{djuser.PasswordValidator{Name: "CommonPasswordValidator", Common: []string{"hunter2"}}, "password", nil, ""},
		{djuser.PasswordValidator{Name: "CommonPasswordValidator"}, "Привет", nil, djuser.PasswordTooCommon},
		{djuser.PasswordValidator{Name: "django.contrib.auth.password_validation.NumericPasswordValidator"}, "①²３", nil, djuser.PasswordEntirelyNumeric},
		{djuser.PasswordValidator{Name: "NumericPasswordValidator"}, "½", nil, ""},
		{djuser.PasswordValidator{Name: "NumericPasswordValidator"}, "", nil, ""},
	} {
		validators, err := djuser.NewPasswordValidators(c.validator)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(validators.Validate(c.password, c.attribute), " "); got != c.want {
			t.Errorf("%+v, %q: got %q, want %q", c.validator, c.password, got, c.want)
		}
	}
	for _, bad := range []djuser.PasswordValidator{{Name: "PwnedValidator"}, {}, {Name: "UserAttributeSimilarityValidator", MaxSimilarity: 0.05}} {
		if _, err := djuser.NewPasswordValidators(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestValidateForUser(t *testing.T) {
	s := newSite(t)
	s.add("butterfly", "pw", true)
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		t.Fatal(err)
	}
	user, err := s.users.Load(t.Context(), s.fake, "1")
	if err != nil {
		t.Fatal(err)
	}
	if got := validators.ValidateFor(user, "flutterby"); !slices.Equal(got, []string{djuser.PasswordTooSimilar}) {
		t.Errorf("got %v", got)
	}
}

// A password of any length is looked at in a time of its length.
func TestLongPassword(t *testing.T) {
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 1<<20)
	if got := validators.Validate(long, func(string) string { return "a.b" }); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func FuzzPasswordValidators(f *testing.F) {
	f.Add("Password1", "joe.smith@example.com")
	f.Add("①²３", "")
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, password, value string) {
		codes := validators.Validate(password, func(string) string { return value })
		if short := utf8.RuneCountInString(password) < 8; short != slices.Contains(codes, djuser.PasswordTooShort) {
			t.Errorf("%q: %v", password, codes)
		}
		if value != "" && password == value && !slices.Contains(codes, djuser.PasswordTooSimilar) {
			t.Errorf("%q is not similar to itself", value)
		}
		if !djuser.SameIdentifier(password, password) || djuser.SameIdentifier(password, value) != djuser.SameIdentifier(value, password) {
			t.Errorf("%q, %q", password, value)
		}
		if !slices.Equal(codes, validators.Validate(password, func(string) string { return value })) {
			t.Errorf("%q: not always the same", password)
		}
	})
}

// parseNaive reads a time as Python's isoformat writes it; its zone is left out.
func parseNaive(t testing.TB, s string) time.Time {
	t.Helper()
	if len(s) > 26 {
		s = s[:26]
	}
	at, err := time.Parse("2006-01-02T15:04:05.999999", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func resetTokens(v version.Version, secret string, fallbacks ...string) *djuser.ResetTokens {
	r := &djuser.ResetTokens{Version: v}
	r.Keys.Current = signing.Derive(signing.SHA256, djuser.ResetTokenSalt, secret)
	r.KeysSHA1.Current = signing.Derive(signing.SHA1, djuser.ResetTokenSalt, secret)
	for _, old := range fallbacks {
		r.Keys.Fallbacks = append(r.Keys.Fallbacks, signing.Derive(signing.SHA256, djuser.ResetTokenSalt, old))
	}
	return r
}

func TestResetTokenVectors(t *testing.T) {
	eachForm(t, "reset_token", 120, func(t *testing.T, v formVector) {
		release, err := version.Parse(v.Django)
		if err != nil {
			t.Fatal(err)
		}
		tokens := resetTokens(release, v.Secret, v.Fallbacks...)
		tokens.Timeout = time.Duration(v.Timeout) * time.Second
		user := djuser.ResetUser{ID: v.User.PK.String(), Password: v.User.Password, Email: v.User.Email}
		if v.User.LastLogin != nil {
			user.LastLogin = parseNaive(t, *v.User.LastLogin)
		}
		if got, want := tokens.Check(user, v.Token, parseNaive(t, v.Now)), string(v.Expected) == "true"; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if v.Tag == "ok" {
			if got, err := tokens.Make(user, parseNaive(t, v.MadeAt)); err != nil || got != v.Token {
				t.Errorf("made %q, %v, want %q", got, err, v.Token)
			}
		}
		if got := djuser.EncodeUID(user.ID); got != v.UIDB64 {
			t.Errorf("uid %q, want %q", got, v.UIDB64)
		}
		if got, ok := djuser.DecodeUID(v.UIDB64); !ok || got != user.ID {
			t.Errorf("uid %q, %v", got, ok)
		}
	})
}

func ExamplePasswordValidators() {
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	zoe := map[string]string{"username": "zoe", "email": "zoe.miller@example.com"}
	for _, password := range []string{"12345678", "millerzoe", "correct horse"} {
		fmt.Println(password, validators.Validate(password, func(name string) string { return zoe[name] }))
	}
	// Output:
	// 12345678 [password_too_common password_entirely_numeric]
	// millerzoe [password_too_similar]
	// correct horse []
}

func ExampleSameIdentifier() {
	fmt.Println(djuser.SameIdentifier("Straße@example.com", "STRASSE@EXAMPLE.COM"))
	fmt.Println(djuser.SameIdentifier("mike@example.com", "mıke@example.com"))
	// Output:
	// true
	// false
}
