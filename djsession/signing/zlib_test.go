package signing

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are texts of the kinds that trees, matches and blocks differ by.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	words := strings.Fields("_auth_user_id _auth_user_backend django.contrib.auth.backends.ModelBackend cart 17 true null café")
	var text strings.Builder
	for text.Len() < 300_000 {
		text.WriteString(`"` + words[random.IntN(len(words))] + `":[` + hex.EncodeToString(noise[random.IntN(60_000):][:random.IntN(40)]) + `],`)
	}
	fibonacci := []byte{} // frequencies for which Huffman's tree is deepest
	for i, a, b := byte(0), 1, 1; i < 24; i, a, b = i+1, b, a+b {
		fibonacci = append(fibonacci, bytes.Repeat([]byte{i * 7}, a)...)
	}
	random.Shuffle(len(fibonacci), func(i, j int) { fibonacci[i], fibonacci[j] = fibonacci[j], fibonacci[i] })
	return map[string][]byte{
		"empty": {}, "one byte": {0xff}, "two": []byte("ab"), "same": bytes.Repeat([]byte("a"), 1000), "object": []byte(`{"a":1}`),
		"session": []byte(`{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"` + hex.EncodeToString(noise[:32]) + `"}`),
		"noise":   noise, "text": []byte(text.String()), "far": append(noise[:32768:32768], noise[:300]...), "farther": append(noise[:32769:32769], noise[:300]...),
		"fibonacci": fibonacci, "zeros": make([]byte, 1<<20), "text of 1000": []byte(text.String()[:1000]),
	}
}

func standard(z []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(z))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// TestDeflate: what we compress the standard library reads, and it is hardly
// longer than what that makes.
func TestDeflate(t *testing.T) {
	for name, text := range samples() {
		z := deflate(text)
		if got, err := standard(z); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %d bytes come back as %d, %v", name, len(text), len(got), err)
		}
		var theirs bytes.Buffer
		w := zlib.NewWriter(&theirs)
		w.Write(text)
		w.Close()
		t.Logf("%s: %d bytes are %d, with compress/zlib %d", name, len(text), len(z), theirs.Len())
		if name != "noise" && len(z) > theirs.Len()*104/100+8 {
			t.Errorf("%s: %d bytes, want about %d", name, len(z), theirs.Len())
		}
	}
}

// TestInflate reads what the standard library writes at every level, and stops
// at the limit.
func TestInflate(t *testing.T) {
	var d inflater
	for name, text := range samples() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			var z bytes.Buffer
			w, _ := zlib.NewWriterLevel(&z, level)
			w.Write(text)
			w.Flush()
			w.Close()
			got, err := d.inflate([]byte("before"), append(z.Bytes(), "after"...), len(text))
			if err != nil || string(got) != "before"+string(text) {
				t.Errorf("%s at level %d: %d bytes, %v", name, level, len(got), err)
			}
			if len(text) > 0 {
				if got, err := d.inflate(nil, z.Bytes(), len(text)-1); !errors.Is(err, ErrTooLarge) || len(got) >= len(text) {
					t.Errorf("%s at level %d, one byte too long: %d bytes, %v", name, level, len(got), err)
				}
			}
			for _, n := range []int{0, 1, 2, 5, z.Len() / 2, z.Len() - 5, z.Len() - 1} {
				if _, err := d.inflate(nil, z.Bytes()[:min(max(n, 0), z.Len()-1)], len(text)); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s at level %d, cut after %d: %v", name, level, n, err)
				}
			}
		}
	}
}

// FuzzInflate: any bytes are read as the standard library reads them, or
// refused as it does.
func FuzzInflate(f *testing.F) {
	for _, text := range samples() {
		f.Add(deflate(text[:min(len(text), 2000)]), true)
	}
	// zlib's own test of bad streams (test/infcover.c), without their heads.
	for _, bad := range []string{
		"0 0 0 0 0", "3 0", "6", "1 1 0 fe ff 0", "fc 0 0", "4 0 fe ff", "4 0 24 49 0", "4 0 24 e9 ff ff", "4 0 24 e9 ff 6d",
		"4 80 49 92 24 49 92 24 71 ff ff 93 11 0", "4 80 49 92 24 49 92 24 f b4 ff ff c3 84", "4 c0 81 8 0 0 0 0 20 7f eb b 0 0", "2 7e ff ff",
		"c c0 81 0 0 0 0 0 90 ff 6b 4", "5 c0 21 d 0 0 0 80 b0 fe 6d 2f 91 6c", "5 e0 81 91 24 cb b2 2c 49 e2 f 2e 8b 9a 47 56 9f fb fe ec d2 ff 1f",
		"ed c0 1 1 0 0 0 40 20 ff 57 1b 42 2c 4f", "ed cf c1 b1 2c 47 10 c4 30 fa 6f 35 1d 1 82 59 3d fb be 2e 2a fc f c", "63 0", "3 0 0 0 0 1",
	} {
		var z []byte
		for _, digits := range strings.Fields(bad) {
			b, err := hex.DecodeString(strings.Repeat("0", 2-len(digits)) + digits)
			if err != nil {
				f.Fatal(err)
			}
			z = append(z, b...)
		}
		f.Add(z, false)
	}
	f.Fuzz(func(t *testing.T, z []byte, whole bool) {
		if !whole { // only what is between head and checksum
			plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(z)), 1<<16))
			if err == nil && len(plain) < 1<<16 {
				var w bytes.Buffer
				head := zlib.NewWriter(&w)
				head.Write(plain)
				head.Close()
				z = append(append([]byte{0x78, 0x9c}, z...), w.Bytes()[w.Len()-4:]...)
			} else {
				z = append([]byte{0x78, 0x9c}, z...)
			}
		}
		const limit = 1 << 16
		var want []byte
		r, err := zlib.NewReader(bytes.NewReader(z))
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(r, limit+1))
		}
		var d inflater
		got, gotErr := d.inflate(nil, z, limit)
		switch {
		case gotErr == nil && (err != nil || !bytes.Equal(got, want)), gotErr != nil && err == nil && len(want) <= limit, len(got) > limit:
			t.Fatalf("%x: %d bytes, %v; want %d, %v", z, len(got), gotErr, len(want), err)
		}
	})
}

// FuzzDeflate: whatever is compressed comes back, here and elsewhere.
func FuzzDeflate(f *testing.F) {
	for _, text := range samples() {
		f.Add(text[:min(len(text), 3000)], uint16(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, times uint16) {
		if len(text) > 0 {
			text = bytes.Repeat(text, min(1+int(times), 1<<17/len(text)+1))
		}
		z := deflate(text)
		if got, err := standard(z); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes come back as %d, %v", len(text), len(got), err)
		}
		var d inflater
		if got, err := d.inflate(nil, z, len(text)); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes come back here as %d, %v", len(text), len(got), err)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	z := deflate(samples()["session"])
	b.Run("own", func(b *testing.B) {
		var d inflater
		var plain []byte
		for b.Loop() {
			plain, _ = d.inflate(plain[:0], z, 1<<20)
		}
	})
	b.Run("standard", func(b *testing.B) {
		source := bytes.NewReader(z)
		r, _ := zlib.NewReader(source)
		plain := make([]byte, 1024)
		for b.Loop() {
			source.Reset(z)
			r.(zlib.Resetter).Reset(source, nil)
			for {
				if _, err := r.Read(plain); err != nil {
					break
				}
			}
		}
	})
}

func BenchmarkDeflate(b *testing.B) {
	text := samples()["session"]
	b.Run("own", func(b *testing.B) {
		for b.Loop() {
			deflate(text)
		}
	})
	b.Run("standard", func(b *testing.B) {
		w := zlib.NewWriter(nil)
		for b.Loop() {
			w.Reset(io.Discard)
			w.Write(text)
			w.Close()
		}
	})
}
