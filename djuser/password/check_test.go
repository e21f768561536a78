package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/version"
)

// TestTimingClasses counts the work of every way a login can end: it tells
// nobody whether the user exists, or why it failed.
func TestTimingClasses(t *testing.T) {
	for _, algorithm := range []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"} {
		t.Run(algorithm, func(t *testing.T) {
			h := newHashers(t, Config{Hashers: []string{algorithm}})
			right, err := h.Make(t.Context(), fakeKDF{}, testRandom(), "right", "")
			if err != nil {
				t.Fatal(err)
			}
			s := h.schemes[0]
			full := work([]Params{s.fresh(dummySalt(s)).params})
			classes := []struct {
				name, password, encoded string
				ok                      bool
			}{
				{"right password", "right", right, true},
				{"wrong password", "wrong", right, false},
				{"unusable", "right", "!9Tt7jKLyYmRyCYsDK4EPyGYbQ6kxJVPmjBOBGSHM", false},
				{"empty", "right", "", false},
				{"unknown algorithm", "right", "md5$salt$d41d8cd98f00b204e9800998ecf8427e", false},
				{"no hash at all", "right", "plain text", false},
				{"malformed", "right", algorithm + "$", false},
				{"malformed further on", "right", right[:strings.LastIndexByte(right, '$')], false},
				{"too costly", "right", costly(algorithm), false},
			}
			if algorithm == "bcrypt" {
				classes = append(classes, struct {
					name, password, encoded string
					ok                      bool
				}{"longer than the library takes", strings.Repeat("x", 73), right, false})
			}
			for _, c := range classes {
				var done []Params
				ok, mustUpdate, err := h.Check(t.Context(), fakeKDF{&done}, c.password, c.encoded)
				if ok != c.ok || mustUpdate || err != nil {
					t.Errorf("%s: %v, %v, %v", c.name, ok, mustUpdate, err)
				}
				if got := work(done); got != full {
					t.Errorf("%s costs %d units, a new hash %d", c.name, got, full)
				}
			}
			for _, password := range []string{"", "right", strings.Repeat("x", 100)} {
				var done []Params
				if err := h.Waste(t.Context(), fakeKDF{&done}, password); err != nil || work(done) != full {
					t.Errorf("a missing user costs %d units, a new hash %d (%v)", work(done), full, err)
				}
			}
			// What depends on the request alone may cost nothing, for any user.
			for _, password := range []string{strings.Repeat("x", 4097), "lone \xed\xa0\x80 surrogate"} {
				var done []Params
				for _, encoded := range []string{right, "!", "x", algorithm + "$"} {
					if ok, _, err := h.Check(t.Context(), fakeKDF{&done}, password, encoded); ok || err != nil {
						t.Errorf("%v, %v", ok, err)
					}
				}
				if err := h.Waste(t.Context(), fakeKDF{&done}, password); err != nil || len(done) != 0 {
					t.Errorf("an unacceptable password was hashed %d times, %v", len(done), err)
				}
			}
		})
	}
}

// costly is a well-formed hash above the default limits.
func costly(algorithm string) string {
	h, err := New(Config{Hashers: []string{algorithm}})
	if err != nil {
		return ""
	}
	switch s := h.schemes[0].(type) {
	case *pbkdf2Scheme:
		return s.plan(4_500_001, "salt").encode(nil, make([]byte, s.size))
	case *bcryptScheme:
		return s.plan(algorithm+"$$2b$16$", 16, make([]byte, 16)).encode(nil, make([]byte, 23))
	case *scryptScheme:
		return s.plan(1<<15, 8, 1, "salt").encode(nil, make([]byte, 64))
	}
	return "argon2$argon2id$v=19$m=262145,t=2,p=8$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
}

// TestHardenRuntime: a wrong password for a hash of smaller cost is brought up
// to the full work, for the algorithms where Django does it; a right one is not.
func TestHardenRuntime(t *testing.T) {
	for _, c := range []struct {
		algorithm, encoded string
		full, right        uint64
	}{
		{"pbkdf2_sha256", "pbkdf2_sha256$1000$salt$", 1_000_000, 1000},
		{"pbkdf2_sha1", "pbkdf2_sha1$999999$salt$", 1_000_000, 999_999},
		{"pbkdf2_sha256", "pbkdf2_sha256$2000000$salt$", 2_000_000, 2_000_000},
		{"bcrypt", "bcrypt$$2b$04$......................", 1 << 12, 1 << 4},
		{"bcrypt_sha256", "bcrypt_sha256$$2y$11$......................", 1 << 12, 1 << 11},
		{"bcrypt", "bcrypt$$2b$13$......................", 1 << 13, 1 << 13},
		{"argon2", "argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$", 64, 64},
		{"scrypt", "scrypt$1024$salt$8$1$", 1024 * 8, 1024 * 8},
	} {
		h := newHashers(t, Config{Hashers: []string{c.algorithm}})
		stored := store(t, h, "right", c.encoded)
		var done []Params
		if ok, must, err := h.Check(t.Context(), fakeKDF{&done}, "wrong", stored); ok || must || err != nil || work(done) != c.full {
			t.Errorf("%s, wrong: %v, %v, %v after %d units, want %d", stored, ok, must, err, work(done), c.full)
		}
		done = nil
		if ok, must, err := h.Check(t.Context(), fakeKDF{&done}, "right", stored); !ok || !must || err != nil || work(done) != c.right {
			t.Errorf("%s, right: %v, %v, %v after %d units, want %d", stored, ok, must, err, work(done), c.right)
		}
		// Under another preferred algorithm Django leaves the gap.
		h = newHashers(t, Config{Hashers: []string{"md5", c.algorithm}})
		done = nil
		if ok, _, err := h.Check(t.Context(), fakeKDF{&done}, "wrong", stored); ok || err != nil || work(done) != c.right {
			t.Errorf("%s, wrong, not preferred: %v, %v after %d units, want %d", stored, ok, err, work(done), c.right)
		}
		if !h.MustUpdate(stored) {
			t.Errorf("%s: no update to the preferred algorithm", stored)
		}
	}
}

// store completes the front of an encoded string by the fake derivation.
func store(t *testing.T, h *Hashers, password, front string) string {
	t.Helper()
	for _, filler := range []string{"", strings.Repeat(".", 31), strings.Repeat("A", 43)} {
		_, p, err := h.read(front + filler)
		if err != nil {
			continue
		}
		secret, err := p.secret(password)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := fakeKDF{}.DeriveKey(t.Context(), p.params, secret, p.salt)
		return p.encode(secret, key)
	}
	t.Fatalf("cannot complete %s", front)
	return ""
}

// explode fails the test when anything is derived.
type explode struct{ t *testing.T }

func (k explode) DeriveKey(_ context.Context, p Params, _, _ []byte) ([]byte, error) {
	k.t.Errorf("derived %+v", p)
	return nil, errors.New("not to be derived")
}
func (k explode) Yield(context.Context) error { return nil }

// TestCostBeforeWork: hashes that ask for too much are refused at once, and
// nothing is allocated for them.
func TestCostBeforeWork(t *testing.T) {
	h := newHashers(t, Config{Hashers: DefaultsOf(version.Default).Algorithms})
	argon2 := func(m, tt, p string) string {
		return fmt.Sprintf("argon2$argon2id$v=19$m=%s,t=%s,p=%s$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", m, tt, p)
	}
	bcrypt := func(cost string) string {
		return "bcrypt$$2b$" + cost + "$......................" + strings.Repeat(".", 31)
	}
	scrypt := func(n, r, p string) string { return "scrypt$" + n + "$salt$" + r + "$" + p + "$AAAA" }
	for encoded, want := range map[string]error{
		"pbkdf2_sha256$4500001$salt$AAAA":              ErrCost,
		"pbkdf2_sha256$2147483647$salt$AAAA":           ErrCost,
		"pbkdf2_sha256$2147483648$salt$AAAA":           ErrCost,
		"pbkdf2_sha1$4294967295$salt$AAAA":             ErrCost,
		"pbkdf2_sha1$4294967296$salt$AAAA":             ErrCost,
		"pbkdf2_sha256$99999999999999999999$salt$AAAA": ErrCost,
		"pbkdf2_sha256$0$salt$AAAA":                    ErrMalformed,
		"pbkdf2_sha256$-5$salt$AAAA":                   ErrMalformed,
		"pbkdf2_sha256$1$$AAAA":                        ErrMalformed,
		"pbkdf2_sha256$1_0$salt$AAAA":                  ErrMalformed,
		"pbkdf2_sha256$１０$salt$AAAA":                   ErrMalformed,
		argon2("262145", "2", "8"):                     ErrCost,
		argon2("4194304", "2", "8"):                    ErrCost,
		argon2("4294967295", "1", "1"):                 ErrCost,
		argon2("4294967296", "1", "1"):                 ErrCost,
		argon2("64", "11", "1"):                        ErrCost,
		argon2("64", "4294967295", "1"):                ErrCost,
		argon2("4096", "1", "17"):                      ErrCost,
		argon2("102400", "1", "255"):                   ErrCost,
		argon2("64", "1", "4294967295"):                ErrMalformed, // m >= 8p
		argon2("64", "0", "1"):                         ErrMalformed,
		bcrypt("16"):                                   ErrCost,
		bcrypt("31"):                                   ErrCost,
		bcrypt("32"):                                   ErrMalformed,
		bcrypt("99"):                                   ErrMalformed,
		scrypt("32768", "8", "1"):                      ErrCost, // OpenSSL's 32 MiB
		scrypt("2147483648", "8", "1"):                 ErrCost,
		scrypt("1099511627776", "8", "1"):              ErrCost,
		scrypt("16384", "4294967295", "1"):             ErrCost,
		scrypt("16384", "8", "4294967295"):             ErrCost,
		scrypt("1024", "8", "17"):                      ErrCost,
		scrypt("16383", "8", "1"):                      ErrMalformed,
		scrypt("65536", "1", "1"):                      ErrMalformed, // RFC 7914: N < 2^(128r/8)
		scrypt("1", "8", "1"):                          ErrMalformed,
		"md5$" + strings.Repeat("s", 1<<20) + "$x":     ErrMalformed,
		"plain":       ErrUnknownAlgorithm,
		"sha1$salt$x": ErrUnknownAlgorithm,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		ok, err := h.Verify(t.Context(), explode{t}, "pw", encoded)
		elapsed := time.Since(start)
		runtime.ReadMemStats(&after)
		shown := encoded[:min(len(encoded), 60)]
		if ok || !errors.Is(err, want) || !errors.Is(h.Readable(encoded), want) {
			t.Errorf("%s: %v, %v, want %v", shown, ok, err, want)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 || elapsed > time.Second {
			t.Errorf("%s: %d bytes allocated, %v", shown, grown, elapsed)
		}
		if err != nil && strings.Contains(err.Error(), "salt$") {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
	if err := h.Readable("!anything"); err != nil {
		t.Errorf("an unusable password is not readable: %v", err)
	}
}

// TestLimitsAreInclusive: what stands exactly at a limit is read.
func TestLimitsAreInclusive(t *testing.T) {
	h := newHashers(t, Config{Hashers: DefaultsOf(version.Default).Algorithms})
	for _, encoded := range []string{
		"pbkdf2_sha256$4500000$salt$AAAA",
		"argon2$argon2id$v=19$m=262144,t=10,p=16$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"bcrypt$$2b$15$......................" + strings.Repeat(".", 31),
		"scrypt$16384$salt$8$16$AAAA",
	} {
		if err := h.Readable(encoded); err != nil {
			t.Errorf("%s: %v", encoded, err)
		}
	}
	h = newHashers(t, Config{Hashers: []string{"md5", "scrypt"}, Limits: Limits{ScryptMemory: 128 * 1024 * 8}})
	if err := h.Readable("scrypt$1024$salt$8$1$AAAA"); err != nil {
		t.Error(err)
	}
	if err := h.Readable("scrypt$2048$salt$8$1$AAAA"); !errors.Is(err, ErrCost) {
		t.Error(err)
	}
}

// TestBcryptRules holds the libraries' differences side by side.
func TestBcryptRules(t *testing.T) {
	const short = "$......................"
	for _, c := range []struct {
		library  int
		password string
		minor    string
		want     error
	}{
		{3, "a\x00b", "b", ErrPassword},
		{4, "a\x00b", "b", nil},
		{5, "a\x00b", "b", nil},
		{3, strings.Repeat("x", 73), "b", nil},
		{4, strings.Repeat("x", 73), "b", nil},
		{5, strings.Repeat("x", 73), "b", ErrPassword},
		{5, strings.Repeat("x", 72), "b", nil},
		{3, "a", "x", ErrMalformed},
		{4, "a", "x", nil},
		{3, "a", "y", nil},
		{5, "a", "a", nil},
		{5, "a", "c", ErrMalformed},
	} {
		h := newHashers(t, Config{Hashers: []string{"bcrypt"}, Bcrypt: c.library})
		encoded := "bcrypt$$2" + c.minor + "$04" + short + strings.Repeat(".", 31)
		if _, err := h.Verify(t.Context(), fakeKDF{}, c.password, encoded); !errors.Is(err, c.want) {
			t.Errorf("bcrypt %d, %q, $2%s$: %v, want %v", c.library, c.password, c.minor, err, c.want)
		}
	}
	if _, err := New(Config{Bcrypt: 2}); err == nil {
		t.Error("bcrypt 2 is accepted")
	}
}

// TestSlices: every derivation that can be sliced gives the thread back often
// enough, and stops at the slice in which it is told to.
func TestSlices(t *testing.T) {
	for _, c := range []struct {
		p      Params
		yields int
	}{
		{Params{Function: PBKDF2SHA256, Iterations: 10 * pbkdf2Slice, KeyLen: 32}, 9},
		{Params{Function: PBKDF2SHA1, Iterations: 10 * pbkdf2Slice, KeyLen: 20}, 9},
		{Params{Function: Argon2id, Version: 0x13, Iterations: 1, Memory: 10 * argon2Pause, Parallelism: 2, KeyLen: 32}, 9},
		{Params{Function: Argon2d, Version: 0x10, Iterations: 2, Memory: 5 * argon2Pause, Parallelism: 1, KeyLen: 32}, 9},
		{Params{Function: Bcrypt, Iterations: 8, KeyLen: 23}, 16},
		{Params{Function: Scrypt, N: 1024, R: 8, Parallelism: 1, KeyLen: 64}, 1}, // cannot be sliced
	} {
		k := &inPlace{}
		salt := make([]byte, 16)
		if _, err := Derive(t.Context(), k.Yield, c.p, []byte("pw"), salt); err != nil || k.yields != c.yields {
			t.Errorf("%+v yields %d times, want %d (%v)", c.p, k.yields, c.yields, err)
		}
		stop := errors.New("stop")
		k = &inPlace{stop: func(n int) error {
			if n == min(3, c.yields) {
				return stop
			}
			return nil
		}}
		if _, err := Derive(t.Context(), k.Yield, c.p, []byte("pw"), salt); err != stop || k.yields != min(3, c.yields) {
			t.Errorf("%+v after a stop: %v, %d yields", c.p, err, k.yields)
		}
		gone := errors.New("the client went away")
		ctx, cancel := context.WithCancelCause(t.Context())
		k = &inPlace{stop: func(int) error { cancel(gone); return nil }}
		if _, err := Derive(ctx, k.Yield, c.p, []byte("pw"), salt); c.p.Function != Scrypt && (err != gone || k.yields != 1) {
			t.Errorf("%+v after a cancellation: %v, %d yields", c.p, err, k.yields)
		}
		if _, err := Derive(ctx, nil, c.p, []byte("pw"), salt); err != gone {
			t.Errorf("%+v under a cancelled context: %v", c.p, err)
		}
	}
}

// TestImpossibleParams: nothing that a caller can ask for is a panic.
func TestImpossibleParams(t *testing.T) {
	for _, p := range []Params{
		{},
		{Function: 99, KeyLen: 32},
		{Function: PBKDF2SHA256, Iterations: 1},
		{Function: PBKDF2SHA256, Iterations: 1, KeyLen: 1 << 20},
		{Function: PBKDF2SHA1, KeyLen: 20},
		{Function: Argon2id, Iterations: 1, Memory: 7, Parallelism: 1, Version: 0x13, KeyLen: 32},
		{Function: Argon2id, Iterations: 1, Memory: 8, Version: 0x13, KeyLen: 32},
		{Function: Argon2id, Iterations: 1, Memory: 8, Parallelism: 1, KeyLen: 32},
		{Function: Argon2id, Memory: 8, Parallelism: 1, Version: 0x13, KeyLen: 32},
		{Function: Argon2id, Iterations: 1, Memory: 8, Parallelism: 1, Version: 0x13, KeyLen: 3},
		{Function: Bcrypt, Iterations: 3, KeyLen: 23},
		{Function: Bcrypt, Iterations: 32, KeyLen: 23},
		{Function: Bcrypt, Iterations: 4, KeyLen: 24},
		{Function: Scrypt, N: 1, R: 8, Parallelism: 1, KeyLen: 64},
		{Function: Scrypt, N: 12, R: 8, Parallelism: 1, KeyLen: 64},
		{Function: Scrypt, N: 16, Parallelism: 1, KeyLen: 64},
		{Function: Scrypt, N: 16, R: 1 << 31, Parallelism: 1 << 31, KeyLen: 64},
	} {
		if key, err := Derive(t.Context(), nil, p, nil, nil); err == nil {
			t.Errorf("%+v = %x", p, key)
		}
		if p.MemoryBytes() < 0 {
			t.Errorf("%+v needs %d bytes", p, p.MemoryBytes())
		}
	}
	if _, err := Derive(t.Context(), nil, Params{Function: Bcrypt, Iterations: 4, KeyLen: 23}, nil, []byte("short")); err == nil {
		t.Error("a short bcrypt salt is accepted")
	}
}

func TestMemoryBytes(t *testing.T) {
	for _, c := range []struct {
		p    Params
		want int64
	}{
		{Params{Function: Argon2id, Memory: 102400}, 100 << 20},
		{Params{Function: Scrypt, N: 1 << 14, R: 8, Parallelism: 5}, 16<<20 + 7*1024},
	} {
		if got := c.p.MemoryBytes(); got != c.want {
			t.Errorf("%+v needs %d bytes, want %d", c.p, got, c.want)
		}
	}
}

// TestArena: runs that follow each other share memory, runs at the same time do not.
func TestArena(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // or it may take what is idle
	var a Arena
	first := a.take(100)
	if second := a.take(100); &first[0] == &second[0] {
		t.Error("two runs at the same time have the same memory")
	}
	a.put(first)
	if again := a.take(80); &again[0] != &first[0] || len(again) != 80 {
		t.Error("idle memory is not used again")
	}
}

// TestSeam: derivations go to the host, and in place when it declines.
func TestSeam(t *testing.T) {
	h := newHashers(t, Config{PBKDF2Iterations: 3 * pbkdf2Slice})
	k := &inPlace{}
	encoded, err := h.Make(t.Context(), k, testRandom(), "pw", "")
	if err != nil || k.declined != 1 || k.yields != 2 {
		t.Errorf("%v, %d derivations declined, %d yields", err, k.declined, k.yields)
	}
	if ok, err := h.Verify(t.Context(), k, "pw", encoded); !ok || err != nil || k.declined != 2 {
		t.Errorf("%v, %v, %d derivations declined", ok, err, k.declined)
	}
	stop := errors.New("busy")
	k.stop = func(int) error { return stop }
	if ok, err := h.Verify(t.Context(), k, "pw", encoded); ok || !errors.Is(err, stop) {
		t.Errorf("%v, %v", ok, err)
	}
	if ok, _, err := h.Check(t.Context(), k, "pw", encoded); ok || !errors.Is(err, stop) {
		t.Errorf("%v, %v", ok, err)
	}
	if ok, err := h.Verify(t.Context(), shortKDF{}, "pw", encoded); ok || err == nil {
		t.Errorf("a key of the wrong length: %v, %v", ok, err)
	}
}

type shortKDF struct{ fakeKDF }

func (shortKDF) DeriveKey(context.Context, Params, []byte, []byte) ([]byte, error) {
	return []byte("short"), nil
}

func TestMake(t *testing.T) {
	all := []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5", "sha1", "unsalted_md5", "unsalted_sha1", "crypt"}
	for _, v := range version.Supported {
		h := newHashers(t, Config{Version: v, Hashers: all})
		if !slices.Equal(h.Algorithms(), all) {
			t.Fatalf("%v", h.Algorithms())
		}
		random := testRandom()
		for _, algorithm := range all {
			a, err1 := h.Make(t.Context(), fakeKDF{}, random, "pässword", algorithm)
			b, err2 := h.Make(t.Context(), fakeKDF{}, random, "pässword", algorithm)
			if err1 != nil || err2 != nil {
				t.Fatal(algorithm, err1, err2)
			}
			if a == b && !strings.HasPrefix(algorithm, "unsalted") {
				t.Errorf("%s: two hashes are the same: %s", algorithm, a)
			}
			if ok, err := h.Verify(t.Context(), fakeKDF{}, "pässword", a); !ok || err != nil {
				t.Errorf("Django %v: %s: %v, %v", v, a, ok, err)
			}
			if ok, err := h.Verify(t.Context(), fakeKDF{}, "pÄssword", a); ok || err != nil {
				t.Errorf("Django %v: %s with another password: %v, %v", v, a, ok, err)
			}
		}
	}
	h := newHashers(t, Config{})
	if _, err := h.Make(t.Context(), fakeKDF{}, testRandom(), "pw", "md5"); !errors.Is(err, ErrUnknownAlgorithm) {
		t.Errorf("a hasher that is not listed: %v", err)
	}
	if _, err := h.Make(t.Context(), fakeKDF{}, testRandom(), strings.Repeat("x", 4097), ""); !errors.Is(err, ErrPassword) {
		t.Errorf("a password of 4097 bytes: %v", err)
	}
	if _, err := h.Make(t.Context(), fakeKDF{}, testRandom(), "\xed\xa0\x80", ""); !errors.Is(err, ErrPassword) {
		t.Errorf("a lone surrogate: %v", err)
	}
}

func TestRandomness(t *testing.T) {
	h := newHashers(t, Config{})
	none := errors.New("no randomness")
	for _, c := range []struct {
		random func(context.Context, int) ([]byte, error)
		want   error
	}{
		{func(context.Context, int) ([]byte, error) { return nil, none }, none},
		{func(_ context.Context, n int) ([]byte, error) { return make([]byte, n-1), nil }, errRandom},
		{func(_ context.Context, n int) ([]byte, error) { return []byte(strings.Repeat("\xff", n)), nil }, errRandom},
	} {
		if s, err := h.Make(t.Context(), explode{t}, c.random, "pw", ""); s != "" || !errors.Is(err, c.want) {
			t.Errorf("Make = %q, %v", s, err)
		}
		if s, err := h.MakeUnusable(t.Context(), c.random); s != "" || !errors.Is(err, c.want) {
			t.Errorf("MakeUnusable = %q, %v", s, err)
		}
	}
	a, _ := h.MakeUnusable(t.Context(), testRandom())
	if len(a) != 41 || Usable(a) || strings.Trim(a[1:], saltAlphabet) != "" {
		t.Errorf("MakeUnusable = %q", a)
	}
	// Every character is as likely as the others.
	counts := map[byte]int{}
	text, err := randomText(t.Context(), testRandom(), 62_000)
	for _, c := range text {
		counts[c]++
	}
	for _, c := range []byte(saltAlphabet) {
		if err != nil || counts[c] < 850 || counts[c] > 1150 { // ± 4.7 standard deviations
			t.Errorf("%c occurs %d times in 62000 (%v)", c, counts[c], err)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		hashers []string
		want    []string
	}{
		{nil, []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "scrypt"}},
		{[]string{"django.contrib.auth.hashers.Argon2PasswordHasher", "MD5PasswordHasher", "crypt"}, []string{"argon2", "md5", "crypt"}},
		{[]string{"md5", "MD5PasswordHasher"}, []string{"md5"}},
		{[]string{"site.hashers.PBKDF2PasswordHasher"}, nil}, // a class of the site's may do anything
		{[]string{"Argon2"}, nil},
		{[]string{""}, nil},
	} {
		h, err := New(Config{Hashers: c.hashers})
		switch {
		case c.want == nil:
			if err == nil {
				t.Errorf("%q are accepted", c.hashers)
			}
		case err != nil || !slices.Equal(h.Algorithms(), c.want) || h.Preferred() != c.want[0]:
			t.Errorf("%q: %v, %v", c.hashers, h, err)
		}
	}
	if _, err := New(Config{PBKDF2Iterations: 5_000_000}); err == nil {
		t.Error("new hashes may be above the limits")
	}
	if _, err := New(Config{PBKDF2Iterations: 5_000_000, Limits: Limits{PBKDF2Iterations: 5_000_000}}); err != nil {
		t.Error(err)
	}
}
