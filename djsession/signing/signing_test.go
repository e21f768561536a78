package signing_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/signing"
)

var (
	now  = time.Unix(1748417998, 0)
	key  = signing.Derive(signing.SHA256, "saltsigner", "secret")
	ring = signing.Ring{Current: key}
)

// sign signs a payload of dumps, whatever it is.
func sign(payload string) string { return signing.SignTimestamp(payload, key, now) }

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func TestZeroKey(t *testing.T) {
	var zero signing.Key
	if !zero.IsZero() || key.IsZero() || zero.MAC(nil) != nil || zero.Export() != "" {
		t.Error("the zero key is not empty")
	}
	for _, got := range []string{signing.Sign("a", zero), signing.SignTimestamp("a", zero, now), signing.Dumps("{}", zero, true, now), signing.DumpsLegacy("{}", zero)} {
		if got != "" {
			t.Errorf("the zero key signed %q", got)
		}
	}
	for _, signed := range []string{"a:", ":", "a:" + base64.RawURLEncoding.EncodeToString(make([]byte, 32)), signing.Sign("a", key)} {
		if _, err := signing.Unsign(signed, signing.Ring{}, signing.Ring{Fallbacks: []signing.Key{{}}}); !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("the zero key verified %q: %v", signed, err)
		}
		if _, err := signing.Unsign(signed); !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("no key verified %q: %v", signed, err)
		}
	}
}

func TestExport(t *testing.T) {
	for _, k := range []signing.Key{key, signing.Derive(signing.SHA1, "a", "b")} {
		again, err := signing.ParseKey(k.Export())
		if err != nil || again.Export() != k.Export() || !bytes.Equal(again.MAC([]byte("x")), k.MAC([]byte("x"))) {
			t.Errorf("%s comes back as %s, %v", k.Export(), again.Export(), err)
		}
	}
	// sha256("ab"), from sha256sum.
	if got, want := signing.Derive(signing.SHA256, "a", "b").Export(), "sha256:fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const secret = "0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, s := range []string{"", "sha256", "sha256:", "sha256:00", "sha1:" + secret, "md5:" + secret, secret, "sha256:" + secret + "zzzzzzzzzzzzzzzz"} {
		_, err := signing.ParseKey(s)
		if err == nil {
			t.Errorf("%q was accepted", s)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

// A key never comes out by printing, also from within another struct.
func TestKeysDoNotPrint(t *testing.T) {
	type holder struct {
		Key  signing.Key
		keys signing.Keys
	}
	keys := signing.DeriveKeys("", "s3cr3t", []string{"0ld3r"})
	h := holder{key, keys}
	_, digits, _ := strings.Cut(key.Export(), ":")
	var printed strings.Builder
	for _, v := range []any{key, &key, keys, &keys, h, &h, []signing.Key{key}, h.keys.Session} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(text)
	}
	decimal := strings.Trim(fmt.Sprint(mustHex(t, digits)), "[]")
	for _, leak := range []string{digits, strings.ToUpper(digits), decimal, "s3cr3t", "0ld3r"} {
		if strings.Contains(printed.String(), leak) {
			t.Errorf("%q was printed", leak)
		}
	}
}

func mustHex(t *testing.T, s string) (b []byte) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTimestamps(t *testing.T) {
	for payload, want := range map[string]struct {
		maxAge time.Duration
		err    error
	}{
		"noColon":              {-1, signing.ErrCorrupt},
		"a:":                   {-1, signing.ErrCorrupt},
		"a:!!":                 {-1, signing.ErrCorrupt},
		"a:0_1":                {-1, signing.ErrCorrupt},
		"a:0":                  {-1, nil},
		"a:-1":                 {-1, nil},
		"a:-":                  {-1, nil}, // Django's b62_decode("-") is 0
		"a:zzzzzzzzzzzzzzzzz":  {time.Hour, nil},
		"a:-zzzzzzzzzzzzzzzzz": {time.Hour, signing.ErrExpired},
		"a:00":                 {time.Hour, signing.ErrExpired},
		"a:-zzzzzzzzzzz":       {math.MaxInt64, signing.ErrExpired},
	} {
		got, _, err := signing.UnsignTimestamp(signing.Sign(payload, key), now, want.maxAge, ring)
		if !errors.Is(err, want.err) || err == nil && got != "a" {
			t.Errorf("%q: got %q, %v, want %v", payload, got, err, want.err)
		}
	}
	if _, err := signing.DecodeB62("zzzzzzzzzzzz"); err == nil {
		t.Error("a number beyond int64 was decoded")
	}
	if got := signing.EncodeB62(math.MinInt64); got != "-AzL8n0Y58m8" {
		t.Errorf("the smallest number is %s", got) // from django.core.signing.b62_encode(-2**63)
	}
}

func TestLoadsOdd(t *testing.T) {
	object := []byte(`{"a":1}`)
	z := deflated([]byte(`{"a":` + strings.Repeat("1", 100) + `}`))
	encode := base64.RawURLEncoding.EncodeToString
	wrongSum := bytes.Clone(z)
	wrongSum[len(z)-1] ^= 1
	for name, c := range map[string]struct {
		payload string
		err     error
	}{
		"plain":           {encode(object), nil},
		"padded":          {base64.URLEncoding.EncodeToString([]byte(`{"ab":1}`)), nil},
		"deflated":        {"." + encode(z), nil},
		"trailing":        {"." + encode(append(bytes.Clone(z), "junk"...)), nil},
		"truncated":       {"." + encode(z[:len(z)-3]), signing.ErrCorrupt},
		"only a header":   {"." + encode(z[:2]), signing.ErrCorrupt},
		"nothing":         {".", signing.ErrCorrupt},
		"wrong checksum":  {"." + encode(wrongSum), signing.ErrCorrupt},
		"not zlib":        {"." + encode(object), signing.ErrCorrupt},
		"raw deflate":     {"." + encode(z[2:len(z)-4]), signing.ErrCorrupt},
		"one digit":       {"e", signing.ErrCorrupt},
		"two dots":        {"..e30", signing.ErrCorrupt},
		"dictionary flag": {"." + encode([]byte{0x78, 0xbb, 0, 0, 0, 1, 3, 0}), signing.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time with a reader that was used before
				if got, err := signing.Loads(sign(c.payload), now, -1, 1000, ring); !errors.Is(err, c.err) {
					t.Errorf("got %q, %v, want %v", got, err, c.err)
				}
			}
		})
	}
	if got, err := signing.Loads(sign(encode([]byte("\"\xe9\""))), now, -1, 10, ring); got != `"é"` {
		t.Errorf("latin-1 is %q, %v", got, err)
	}
}

func TestLoadsLimit(t *testing.T) {
	for _, size := range []int{0, 2, 1000, 1024, 1025, 70000} {
		text := strings.Repeat(" ", size)
		for _, signed := range []string{
			signing.Dumps(text, key, false, now), signing.Dumps(text, key, true, now), sign("." + base64.RawURLEncoding.EncodeToString(deflated([]byte(text)))),
		} {
			if got, err := signing.Loads(signed, now, 0, size, ring); got != text || err != nil {
				t.Errorf("%d bytes: got %d bytes, %v", size, len(got), err)
			}
			if got, err := signing.Loads(signed, now, 0, size-1, ring); !errors.Is(err, signing.ErrTooLarge) || got != "" {
				t.Errorf("%d bytes, one too many: got %d bytes, %v", size, len(got), err)
			}
		}
	}
}

// bombOf is what zlib makes of that many zeros, a multiple of a mebibyte: the
// same block again and again.
func bombOf(t *testing.T, size int) []byte {
	t.Helper()
	var block bytes.Buffer
	w, err := flate.NewWriter(&block, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 1<<20))
	w.Flush() // ends at a byte
	z := append([]byte{0x78, 0x9c}, bytes.Repeat(block.Bytes(), size>>20)...)
	z = append(z, 0x01, 0x00, 0x00, 0xff, 0xff) // the last block, empty
	return binary.BigEndian.AppendUint32(z, uint32(size%65521)<<16|1)
}

// A bomb of 200 MB that the site itself signed is refused in bounded memory,
// and without a signature it is not even decoded.
func TestBomb(t *testing.T) {
	const size = 200 << 20
	z := bombOf(t, size)
	bomb := sign("." + base64.RawURLEncoding.EncodeToString(z))
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const limit = 1 << 20
	if n := allocated(func() {
		if _, err := signing.Loads(bomb, now, -1, limit, ring); !errors.Is(err, signing.ErrTooLarge) {
			t.Errorf("the bomb: %v", err)
		}
	}); n > 16*limit {
		t.Errorf("the bomb took %d bytes of memory", n)
	}
	if n, err := io.Copy(io.Discard, inflater(t, bombOf(t, 8<<20))); n != 8<<20 || err != nil {
		t.Errorf("the bomb is none: %d bytes, %v", n, err)
	}
	forged := bomb[:len(bomb)-1] + "!"
	if n := allocated(func() {
		if _, err := signing.Loads(forged, now, -1, limit, ring); !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("the unsigned bomb: %v", err)
		}
	}); n > 64<<10 {
		t.Errorf("the unsigned bomb took %d bytes of memory", n)
	}
}

func inflater(t *testing.T, z []byte) io.Reader {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(z))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLegacy(t *testing.T) {
	legacy := signing.DeriveKeys("", "secret", nil).SessionLegacy
	data := signing.DumpsLegacy(`{"a":1}`, legacy.Current)
	if got, err := signing.LoadsLegacy(data, 7, legacy); got != `{"a":1}` || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := signing.LoadsLegacy(data, 6, legacy); !errors.Is(err, signing.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if _, err := signing.LoadsLegacy(strings.Repeat("A", 1000), 100, legacy); !errors.Is(err, signing.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	for _, bad := range []string{"", "é", data + "A", data[:len(data)-4], data[4:], strings.ToLower(data)} {
		if _, err := signing.LoadsLegacy(bad, 1000, legacy); !errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// Python's b64decode drops what is not in its alphabet, - and _ too.
	data = signing.DumpsLegacy(`{"a":"~~~???>>>"}`, legacy.Current)
	if _, err := signing.LoadsLegacy(data[:8]+"-_-_\n"+data[8:], 1000, legacy); err != nil {
		t.Errorf("with characters to be dropped: %v", err)
	}
	urlSafe := strings.NewReplacer("+", "-", "/", "_").Replace(data)
	if _, err := signing.LoadsLegacy(urlSafe, 1000, legacy); urlSafe == data || err == nil {
		t.Errorf("the URL-safe alphabet is read: %s", urlSafe)
	}
}

// Keys and buffers are shared by all requests.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := fmt.Sprintf(`{"n":"%s"}`, strings.Repeat(string('a'+rune(i)), 300))
			for range 100 {
				signed := signing.Dumps(text, key, true, now)
				if got, err := signing.Loads(signed, now, 0, 1000, ring); got != text || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkLoads(b *testing.B) {
	text := `{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"b04923e7876572d15862b490e625ae1d58435993ad81accec536aa1df2079eaf"}`
	for name, compress := range map[string]bool{"plain": false, "deflated": true} {
		b.Run(name, func(b *testing.B) {
			signed := signing.Dumps(text, key, compress, now)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signing.Loads(signed, now, -1, 1<<20, ring); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
