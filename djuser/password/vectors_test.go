package password

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/version"
)

// vector is one case of testdata/vectors, which real Django answered.
type vector struct {
	ID, Section, Django, Tag string

	Password, Encoded     string
	Algorithm             *string
	Usable                bool
	Expected              json.RawMessage
	MustUpdateIfPreferred map[string]any `json:"must_update_if_preferred"`
	Preferred, Hasher     string
	DefaultIterations     uint32 `json:"default_iterations"`
}

// site is what the file tells of the Django that answered.
type site struct {
	Django    string
	Available []string `json:"available_hashers"`
	Libs      struct{ Bcrypt string }
}

func (s site) config(t *testing.T, iterations uint32, preferred ...string) Config {
	t.Helper()
	v, err := version.Parse(s.Django)
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(s.Libs.Bcrypt, ".")
	bcrypt, err := strconv.Atoi(major)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Version: v, Hashers: append(preferred, s.Available...), Bcrypt: bcrypt, PBKDF2Iterations: iterations}
}

func newHashers(t testing.TB, c Config) *Hashers {
	t.Helper()
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestVectors(t *testing.T) {
	checks := map[string]func(*testing.T, site, vector){
		"hasher":              checkHasher,
		"hasher_encode_error": checkEncodeError,
		"must_update":         checkMustUpdate,
		"hasher_defaults":     checkDefaults,
	}
	for _, file := range []string{"django.json", "django-6.json"} {
		text, err := os.ReadFile("../../testdata/vectors/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var all struct {
			Meta    struct{ Merged []site }
			Vectors []vector
		}
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, v := range all.Vectors {
			check := checks[v.Section]
			if check == nil {
				continue
			}
			counts[v.Section]++
			i := slices.IndexFunc(all.Meta.Merged, func(s site) bool { return s.Django == v.Django })
			if i < 0 {
				t.Fatalf("%s: no meta for Django %s", v.ID, v.Django)
			}
			t.Run(v.ID, func(t *testing.T) { check(t, all.Meta.Merged[i], v) })
		}
		t.Log(file, counts)
		for section := range checks {
			if counts[section] == 0 && (file == "django.json" || section != "hasher_encode_error") {
				t.Errorf("%s: no vectors of section %s", file, section)
			}
		}
	}
}

func checkHasher(t *testing.T, s site, v vector) {
	t.Logf("%s: %q", v.Tag, v.Encoded)
	h := newHashers(t, s.config(t, v.DefaultIterations))
	ok, err := h.Verify(context.Background(), nil, v.Password, v.Encoded)
	var want struct {
		OK    bool
		Error string
	}
	if err := json.Unmarshal(v.Expected, &want); err != nil {
		t.Fatal(err)
	}
	// Where Django raises or answers False, any refusal will do.
	if ok != want.OK || ok && err != nil {
		t.Errorf("Verify = %v, %v; want %s", ok, err, v.Expected)
	}
	if ok && h.Readable(v.Encoded) != nil {
		t.Errorf("a hash that matches is not readable: %v", h.Readable(v.Encoded))
	}
	if !strings.HasPrefix(v.Tag, "default_cost") {
		// The same through Check, whose failures cost a default hash.
		ok, _, err := newHashers(t, s.config(t, 1)).Check(context.Background(), nil, v.Password, v.Encoded)
		if ok != want.OK || err != nil {
			t.Errorf("Check = %v, %v; want %s", ok, err, v.Expected)
		}
	}
	if Usable(v.Encoded) != v.Usable {
		t.Errorf("Usable = %v, want %v", !v.Usable, v.Usable)
	}
	switch algorithm := Identify(v.Encoded); {
	case v.Algorithm == nil && slices.Contains(h.Algorithms(), algorithm):
		t.Errorf("Identify = %q, want an unknown algorithm", algorithm)
	case v.Algorithm != nil && algorithm != *v.Algorithm:
		t.Errorf("Identify = %q, want %q", algorithm, *v.Algorithm)
	}
	for class, want := range v.MustUpdateIfPreferred {
		got := newHashers(t, s.config(t, v.DefaultIterations, class)).MustUpdate(v.Encoded)
		if want, ok := want.(bool); ok && got != want { // else Django raised or had no hasher
			t.Errorf("MustUpdate with %s = %v, want %v", class, got, want)
		}
	}
}

func checkMustUpdate(t *testing.T, s site, v vector) {
	var want bool
	if err := json.Unmarshal(v.Expected, &want); err != nil {
		t.Fatal(err)
	}
	h := newHashers(t, s.config(t, v.DefaultIterations, v.Preferred))
	if got := h.MustUpdate(v.Encoded); got != want {
		t.Errorf("MustUpdate(%q) with %s = %v, want %v", v.Encoded, v.Preferred, got, want)
	}
}

func checkEncodeError(t *testing.T, s site, v vector) {
	h := newHashers(t, s.config(t, 1))
	_, err := h.Make(context.Background(), nil, testRandom(), v.Password, algorithmOf(v.Hasher))
	if !errors.Is(err, ErrPassword) {
		t.Errorf("Make with %s = %v, want ErrPassword: %s", v.Hasher, err, v.Expected)
	}
}

func checkDefaults(t *testing.T, s site, v vector) {
	var want struct {
		PBKDF2     uint32    `json:"pbkdf2_iterations"`
		Salt       int       `json:"preferred_salt_len"`
		Argon2     [3]uint32 // t, m, p
		Bcrypt     uint32    `json:"bcrypt_rounds"`
		Scrypt     [3]uint32 // n, r, p; null before 4.0
		Algorithms []string
		Setting    []string `json:"default_setting"`
	}
	if err := json.Unmarshal(v.Expected, &want); err != nil {
		t.Fatal(err)
	}
	c := s.config(t, 0)
	d := DefaultsOf(c.Version)
	if d.PBKDF2Iterations != want.PBKDF2 || d.SaltLength != want.Salt || d.BcryptCost != want.Bcrypt ||
		[3]uint32{d.Argon2Time, d.Argon2Memory, d.Argon2Parallelism} != want.Argon2 ||
		[3]uint32{d.ScryptN, d.ScryptR, d.ScryptP} != want.Scrypt ||
		!slices.Equal(d.Hashers, want.Setting) || !slices.Equal(d.Algorithms, want.Algorithms) {
		t.Errorf("defaults are %+v, want %+v", d, want)
	}
	if h := newHashers(t, c); !slices.Equal(h.Algorithms(), want.Algorithms) || h.Preferred() != want.Algorithms[0] {
		t.Errorf("Algorithms = %q, want %q", h.Algorithms(), want.Algorithms)
	}
	// What Make writes by default is what this Django does not update.
	for _, algorithm := range want.Algorithms {
		h := newHashers(t, s.config(t, 0, algorithm))
		encoded, err := h.Make(context.Background(), fakeKDF{}, testRandom(), "pw", "")
		if err != nil || h.MustUpdate(encoded) || Identify(encoded) != algorithm || len(encoded) > 128 {
			t.Errorf("Make with %s = %q, %v; must update: %v", algorithm, encoded, err, h.MustUpdate(encoded))
		}
	}
}
