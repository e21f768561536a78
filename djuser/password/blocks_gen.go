//go:build ignore

// Command blocks_gen writes blocks.go: the SHA-256 and SHA-1 compression
// functions, unrolled, for the one message shape that PBKDF2 repeats: a digest
// that follows one block, so that padding and length are constants and fold
// away. Run it with "go generate" in this directory.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"math"
	"math/big"
	"math/bits"
	"os"
	"strings"
)

// word is a message word: a constant, or a variable that holds it.
type word struct {
	constant bool
	value    uint32
	name     string
}

// sum adds terms; constants fold into one, which is left out when it is zero.
func sum(constant uint32, terms ...string) string {
	if constant != 0 || len(terms) == 0 {
		terms = append(terms, fmt.Sprintf("%#08x", constant))
	}
	return strings.Join(terms, " + ")
}

// message is a digest of n words behind one block, padded.
func message(n int) [16]word {
	var w [16]word
	for i := range w {
		w[i] = word{constant: i >= n, name: fmt.Sprintf("w%d", i)}
	}
	w[n].value = 0x80000000
	w[15].value = uint32(512 + 32*n)
	return w
}

func head(b *bytes.Buffer, hash string, n int) {
	fmt.Fprintf(b, "\n// %sTail hashes the %d words of msg, padded, behind the one block that led to mid.\n", hash, n)
	fmt.Fprintf(b, "func %sTail(out, mid, msg *[%d]uint32) {\n", hash, n)
	var ws []string
	for i := range 16 {
		ws = append(ws, fmt.Sprintf("w%d", i))
	}
	fmt.Fprintf(b, "var %s uint32\n", strings.Join(ws[n:], ", "))
	for i := range n {
		fmt.Fprintf(b, "w%d := msg[%d]\n", i, i)
	}
	for i := range n {
		fmt.Fprintf(b, "%c := mid[%d]\n", 'a'+i, i)
	}
}

func foot(b *bytes.Buffer, v []string) {
	for i, name := range v {
		fmt.Fprintf(b, "out[%d] = mid[%d] + %s\n", i, i, name)
	}
	b.WriteString("}\n")
}

func sha256(b *bytes.Buffer) {
	const n = 8
	head(b, "sha256", n)
	w, v := message(n), strings.Split("abcdefgh", "")
	sigma := func(x word, r1, r2, shift int) (uint32, []string) {
		if x.constant {
			return bits.RotateLeft32(x.value, -r1) ^ bits.RotateLeft32(x.value, -r2) ^ x.value>>shift, nil
		}
		return 0, []string{fmt.Sprintf("(bits.RotateLeft32(%[1]s, %[2]d)^bits.RotateLeft32(%[1]s, %[3]d)^%[1]s>>%[4]d)", x.name, 32-r1, 32-r2, shift)}
	}
	for i, k := range sha256Constants() {
		x := &w[i%16]
		if i >= 16 {
			c0, t0 := sigma(w[(i+1)%16], 7, 18, 3)
			c1, t1 := sigma(w[(i+14)%16], 17, 19, 10)
			c, t := c0+c1, append(t0, t1...)
			for _, y := range []word{*x, w[(i+9)%16]} {
				if y.constant {
					c += y.value
				} else {
					t = append(t, y.name)
				}
			}
			if len(t) == 0 {
				log.Fatal("a schedule word is constant")
			}
			fmt.Fprintf(b, "%s = %s\n", x.name, sum(c, t...))
			x.constant = false
		}
		a, bb, c, d, e, f, g, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
		terms := []string{h,
			fmt.Sprintf("(bits.RotateLeft32(%[1]s, 26)^bits.RotateLeft32(%[1]s, 21)^bits.RotateLeft32(%[1]s, 7))", e),
			fmt.Sprintf("(%s&(%s^%s)^%s)", e, f, g, g)}
		if x.constant {
			k += x.value
		} else {
			terms = append(terms, x.name)
		}
		fmt.Fprintf(b, "%s = %s\n", h, sum(k, terms...))
		fmt.Fprintf(b, "%s += %s\n", d, h)
		fmt.Fprintf(b, "%s += (bits.RotateLeft32(%[2]s, 30)^bits.RotateLeft32(%[2]s, 19)^bits.RotateLeft32(%[2]s, 10)) + (%[2]s&%[3]s|%[4]s&(%[2]s|%[3]s))\n", h, a, bb, c)
		v = append(v[7:], v[:7]...)
	}
	foot(b, v)
}

func sha1(b *bytes.Buffer) {
	const n = 5
	head(b, "sha1", n)
	w, v := message(n), strings.Split("abcde", "")
	for i := range 80 {
		x := &w[i%16]
		if i >= 16 {
			var c uint32
			var t []string
			for _, y := range []word{w[(i+13)%16], w[(i+8)%16], w[(i+2)%16], *x} {
				if y.constant {
					c ^= y.value
				} else {
					t = append(t, y.name)
				}
			}
			if c != 0 || len(t) == 0 {
				t = append(t, fmt.Sprintf("%#08x", c))
			}
			if len(t) == 1 && c == 0 && len(t[0]) > 3 {
				log.Fatal("a schedule word is constant")
			}
			fmt.Fprintf(b, "%s = bits.RotateLeft32(%s, 1)\n", x.name, strings.Join(t, "^"))
			x.constant = false
		}
		a, bb, c, d, e := v[0], v[1], v[2], v[3], v[4]
		var f string
		var k uint32
		switch i / 20 {
		case 0:
			k, f = 0x5a827999, fmt.Sprintf("(%s&(%s^%s)^%s)", bb, c, d, d)
		case 1:
			k, f = 0x6ed9eba1, fmt.Sprintf("(%s^%s^%s)", bb, c, d)
		case 2:
			k, f = 0x8f1bbcdc, fmt.Sprintf("(%s&%s|%s&(%s|%s))", bb, c, d, bb, c)
		case 3:
			k, f = 0xca62c1d6, fmt.Sprintf("(%s^%s^%s)", bb, c, d)
		}
		terms := []string{fmt.Sprintf("bits.RotateLeft32(%s, 5)", a), f}
		if x.constant {
			k += x.value
		} else {
			terms = append(terms, x.name)
		}
		fmt.Fprintf(b, "%s += %s\n", e, sum(k, terms...))
		fmt.Fprintf(b, "%s = bits.RotateLeft32(%s, 30)\n", bb, bb)
		v = append(v[4:], v[:4]...)
	}
	foot(b, v)
}

// sha256Constants are the first 32 bits of the fractional parts of the cube
// roots of the first 64 primes (FIPS 180-4, 4.2.2).
func sha256Constants() []uint32 {
	var ks []uint32
	for p := int64(2); len(ks) < 64; p++ {
		if !big.NewInt(p).ProbablyPrime(10) {
			continue
		}
		// floor(cbrt(p) * 2^32), corrected in integers.
		x := big.NewInt(int64(math.Cbrt(float64(p)) * (1 << 32)))
		target := new(big.Int).Lsh(big.NewInt(p), 96)
		cube := func(y *big.Int) *big.Int { return new(big.Int).Exp(y, big.NewInt(3), nil) }
		for cube(x).Cmp(target) > 0 {
			x.Sub(x, big.NewInt(1))
		}
		for next := new(big.Int).Add(x, big.NewInt(1)); cube(next).Cmp(target) <= 0; next.Add(next, big.NewInt(1)) {
			x.Set(next)
		}
		ks = append(ks, uint32(x.Uint64()))
	}
	return ks
}

func main() {
	var b bytes.Buffer
	b.WriteString("// Code generated by blocks_gen.go; DO NOT EDIT.\n\npackage password\n\nimport \"math/bits\"\n")
	sha256(&b)
	sha1(&b)
	b.WriteString("\nvar sha256Constants = [64]uint32{")
	for i, k := range sha256Constants() {
		if i%8 == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%#08x,", k)
	}
	b.WriteString("\n}\n")
	src, err := format.Source(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("blocks.go", src, 0o644); err != nil {
		log.Fatal(err)
	}
}
