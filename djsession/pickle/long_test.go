package pickle

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLongs compares with math/big, whose bytes are big endian and unsigned.
func TestLongs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	one := big.NewInt(1)
	for i := range 20000 {
		n := new(big.Int).Lsh(one, uint(r.IntN(200)))
		switch i % 4 {
		case 0:
			n.Sub(n, big.NewInt(int64(r.IntN(3)-1)))
		case 1:
			n.SetBit(n, r.IntN(2000), 1)
		case 2:
			n.Exp(big.NewInt(10), big.NewInt(int64(r.IntN(60))), nil).Add(n, big.NewInt(int64(r.IntN(3)-1)))
		default:
			for range r.IntN(40) {
				n.Lsh(n, 32).Or(n, big.NewInt(int64(r.Uint32())))
			}
		}
		if r.IntN(2) == 0 {
			n.Neg(n)
		}
		// Python's encode_long: bit_length() // 8 + 1 bytes, which may be one too many.
		size := len(n.Bytes()) + 1
		twos := new(big.Int).Set(n)
		if n.Sign() < 0 {
			twos.Add(twos, new(big.Int).Lsh(one, uint(8*size)))
		}
		le := twos.FillBytes(make([]byte, size))
		slices.Reverse(le)
		v := long(string(le))
		if n.IsInt64() {
			if v.kind != kindInt || int64(v.bits) != n.Int64() {
				t.Fatalf("%v is read as %v", n, v)
			}
			if again := long(string(appendLong(nil, n.Int64()))); again != v {
				t.Fatalf("%v is written as %v", n, again)
			}
		} else {
			if got, ok := appendDecimal(nil, v.text); v.kind != kindLong || !ok || string(got) != n.String() {
				t.Fatalf("%v is read as %s", n, got)
			}
			if k := len(v.text); k > 1 && (v.text[k-1] == 0 && v.text[k-2] < 0x80 || v.text[k-1] == 0xff && v.text[k-2] >= 0x80) {
				t.Fatalf("%v is longer than it must be", n)
			}
		}
		if got := longFromDecimal(n.String()); got != v {
			t.Fatalf("%v is written as %v, not %v", n, got, v)
		}
	}
}

// TestLongsOfFloats compares with math/big.
func TestLongsOfFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	floats := []float64{0, math.Copysign(0, -1), 1, -1, 1 << 62, 1 << 63, -1 << 63, 1 << 64, 0x1fffffffffffffp11, math.MaxFloat64, -math.MaxFloat64}
	for range 20000 {
		floats = append(floats, math.Trunc(math.Ldexp(r.Float64()-0.5, r.IntN(1024))))
	}
	for _, f := range floats {
		want, _ := new(big.Float).SetFloat64(f).Int(nil)
		if got := longFromFloat(f); got != longFromDecimal(want.String()) {
			t.Fatalf("%v is %v, not %v", f, got, want)
		}
	}
}
