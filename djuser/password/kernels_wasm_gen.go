//go:build ignore

// Command kernels_wasm_gen writes kernels_wasm.s here and block_wasm.s in
// djsession/sha2: the inner loops of password hashing and SHA-256's block, as
// Go assembly for WebAssembly. Run it with "go generate" in this directory.
//
// Go's compiler keeps every value of a wasm function in 64 bits and most of
// them in linear memory. In assembly the registers are the function's locals,
// which an engine keeps in those of the processor: R0 to R15 hold 64 bits and
// F0 to F15 hold float32, whose bits survive being set, got and reinterpreted.
// There is no 32-bit register (PC_B is one, and belongs to the toolchain), so
// 32-bit values live in the low half of an R. Bitwise operations and additions
// run on whole registers, whatever the upper half holds, where that saves a
// conversion; rotations and stores take the low half.
package main

import (
	"bytes"
	"fmt"
	"log"
	"math"
	"math/big"
	"math/bits"
	"os"
)

// asm is assembly being written.
type asm struct{ bytes.Buffer }

func (a *asm) op(lines ...string) {
	for _, line := range lines {
		a.WriteString("\t" + line + "\n")
	}
}

func (a *asm) opf(format string, args ...any) { a.op(fmt.Sprintf(format, args...)) }

// text begins a function. Its parameters are 8 bytes each.
func (a *asm) text(doc, name string, arguments int) {
	fmt.Fprintf(a, "\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", doc, name, 8*arguments)
}

// pointer pushes a parameter, as an address.
func (a *asm) pointer(parameter string) { a.op("I64Load "+parameter+"(FP)", "I32WrapI64") }

// advance adds to a parameter.
func (a *asm) advance(parameter string, by int) {
	a.op("Get SP", "I64Load "+parameter+"(FP)", fmt.Sprintf("I64Const $%d", by), "I64Add", "I64Store "+parameter+"(FP)")
}

// whilePositive ends a loop that counts a parameter down.
func (a *asm) whilePositive(parameter string) {
	a.advance(parameter, -1)
	a.op("I64Load "+parameter+"(FP)", "I64Const $0", "I64GtS", "BrIf $0", "End")
}

// get pushes the 32 bits in a register.
func (a *asm) get(r string) {
	if r[0] == 'R' {
		a.op("Get "+r, "I32WrapI64")
	} else {
		a.op("Get "+r, "I32ReinterpretF32")
	}
}

// set pops 32 bits into a register.
func (a *asm) set(r string) {
	if r[0] == 'R' {
		a.op("I64ExtendI32U", "Set "+r)
	} else {
		a.op("F32ReinterpretI32", "Set "+r)
	}
}

func (a *asm) constant(k uint32) { a.opf("I32Const $%d", int32(k)) }

func (a *asm) rotate(left int) { a.opf("I32Const $%d", left); a.op("I32Rotl") }

// add adds a constant.
func (a *asm) add(k uint32) {
	if k != 0 {
		a.constant(k)
		a.op("I32Add")
	}
}

// words names the registers of the 16 words of a message: the first in R from
// the given number on, the others in F.
func words(first int) (w [16]string) {
	for i := range w {
		if w[i] = fmt.Sprintf("R%d", first+i); first+i > 15 {
			w[i] = fmt.Sprintf("F%d", first+i-16)
		}
	}
	return w
}

// padded is what is known of a message of n words behind one block.
func padded(n int) map[int]uint32 {
	known := map[int]uint32{n: 0x80000000, 15: uint32(512 + 32*n)}
	for i := n + 1; i < 15; i++ {
		known[i] = 0
	}
	return known
}

// sigma pushes the sum of two rotations to the right and a third or a shift.
func (a *asm) sigma(r string, r1, r2, r3 int, shift bool) {
	a.get(r)
	a.rotate(32 - r1)
	a.get(r)
	a.rotate(32 - r2)
	a.op("I32Xor")
	a.get(r)
	if shift {
		a.opf("I32Const $%d", r3)
		a.op("I32ShrU")
	} else {
		a.rotate(32 - r3)
	}
	a.op("I32Xor")
}

// sha256Rounds are the 64 rounds (FIPS 180-4, 6.2.2) over the state in R0 to
// R7 and the words of the message, less those that are known. Afterwards the
// state is where it was.
func (a *asm) sha256Rounds(w [16]string, known map[int]uint32) {
	v := [8]string{"R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7"}
	for t, k := range sha256Constants() {
		if t >= 16 {
			var c uint32
			terms := 0
			term := func(back int, known1 func(uint32) uint32, push func(r string)) {
				j := (t - back) & 15
				if x, ok := known[j]; ok {
					c += known1(x)
					return
				}
				push(w[j])
				if terms++; terms > 1 {
					a.op("I32Add")
				}
			}
			same := func(x uint32) uint32 { return x }
			term(16, same, a.get)
			term(7, same, a.get)
			term(15, func(x uint32) uint32 { return bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3 },
				func(r string) { a.sigma(r, 7, 18, 3, true) })
			term(2, func(x uint32) uint32 { return bits.RotateLeft32(x, -17) ^ bits.RotateLeft32(x, -19) ^ x>>10 },
				func(r string) { a.sigma(r, 17, 19, 10, true) })
			a.add(c)
			a.set(w[t&15])
			delete(known, t&15)
		}
		A, B, C, D, E, F, G, H := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
		a.get(H)
		if x, ok := known[t&15]; ok {
			k += x
		} else {
			a.get(w[t&15])
			a.op("I32Add")
		}
		a.add(k)
		a.sigma(E, 6, 11, 25, false)
		a.op("I32Add")
		a.op("Get "+G, "Get "+E, "Get "+F, "Get "+G, "I64Xor", "I64And", "I64Xor", "I32WrapI64", "I32Add", "I64ExtendI32U", "Set "+H)
		a.op("Get "+D, "Get "+H, "I64Add", "Set "+D)
		a.get(H)
		a.sigma(A, 2, 13, 22, false)
		a.op("I32Add")
		a.op("Get "+A, "Get "+B, "I64Xor", "Get "+B, "Get "+C, "I64Xor", "I64And", "Get "+B, "I64Xor", "I32WrapI64", "I32Add", "I64ExtendI32U", "Set "+H)
		v = [8]string{H, A, B, C, D, E, F, G}
	}
}

// sha1Rounds are the 80 rounds (FIPS 180-4, 6.1.2) over the state in R0 to R4.
func (a *asm) sha1Rounds(w [16]string, known map[int]uint32) {
	v := [5]string{"R0", "R1", "R2", "R3", "R4"}
	for t := range 80 {
		if t >= 16 {
			var c uint32
			terms := 0
			for _, back := range []int{3, 8, 14, 16} {
				j := (t - back) & 15
				if x, ok := known[j]; ok {
					c ^= x
					continue
				}
				a.get(w[j])
				if terms++; terms > 1 {
					a.op("I32Xor")
				}
			}
			if terms == 0 {
				known[t&15] = bits.RotateLeft32(c, 1)
			} else {
				if c != 0 {
					a.constant(c)
					a.op("I32Xor")
				}
				a.rotate(1)
				a.set(w[t&15])
				delete(known, t&15)
			}
		}
		A, B, C, D, E := v[0], v[1], v[2], v[3], v[4]
		k := [4]uint32{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6}[t/20]
		a.get(E)
		if x, ok := known[t&15]; ok {
			k += x
		} else {
			a.get(w[t&15])
			a.op("I32Add")
		}
		a.add(k)
		a.get(A)
		a.rotate(5)
		a.op("I32Add")
		switch t / 20 {
		case 0:
			a.op("Get "+D, "Get "+B, "Get "+C, "Get "+D, "I64Xor", "I64And", "I64Xor")
		case 2:
			a.op("Get "+B, "Get "+C, "I64And", "Get "+D, "Get "+B, "Get "+C, "I64Or", "I64And", "I64Or")
		default:
			a.op("Get "+B, "Get "+C, "I64Xor", "Get "+D, "I64Xor")
		}
		a.op("I32WrapI64", "I32Add", "I64ExtendI32U", "Set "+E)
		a.get(B)
		a.rotate(30)
		a.set(B)
		v = [5]string{E, A, B, C, D}
	}
}

// iterate is PBKDF2's loop over a state{inner, outer, u, sum [n]uint32}. One
// body runs twice for each iteration, first behind inner and then behind outer,
// which engines compile to better code than two bodies. u is kept in memory
// between them: carried in registers it is a third slower in wasmtime.
func (a *asm) iterate(n int, rounds func(w [16]string, known map[int]uint32)) {
	w := words(n)
	halves := func() { a.op("I64Load n+8(FP)", "I64Const $1", "I64And") } // 0 inner, 1 outer
	middle := func() {
		a.pointer("s+0")
		halves()
		a.opf("I64Const $%d", 4*n)
		a.op("I64Mul", "I32WrapI64", "I32Add", "I64ExtendI32U")
	}
	a.op("I64Load n+8(FP)", "I64Const $0", "I64LeS", "If", "RET", "End")
	a.op("Get SP", "I64Load n+8(FP)", "I64Const $1", "I64Shl", "I64Store n+8(FP)", "Loop")
	for i := range n {
		a.pointer("s+0")
		a.opf("I32Load $%d", 8*n+4*i)
		a.set(w[i])
	}
	last := fmt.Sprintf("R%d", n-1)
	middle()
	a.op("Set " + last)
	for i := range n {
		a.get(last)
		a.opf("I64Load32U $%d", 4*i)
		a.opf("Set R%d", i)
	}
	rounds(w, padded(n))
	middle()
	a.op("Set R8", "I64Load s+0(FP)", "Set R9")
	for i := range n {
		a.get("R9")
		a.get(fmt.Sprintf("R%d", i))
		a.get("R8")
		a.opf("I32Load $%d", 4*i)
		a.op("I32Add")
		a.opf("I32Store $%d", 8*n+4*i)
	}
	halves()
	a.op("I32WrapI64", "If")
	for i := range n {
		a.get("R9")
		a.get("R9")
		a.opf("I32Load $%d", 12*n+4*i)
		a.get("R9")
		a.opf("I32Load $%d", 8*n+4*i)
		a.op("I32Xor")
		a.opf("I32Store $%d", 12*n+4*i)
	}
	a.op("End")
	a.whilePositive("n+8")
	a.op("RET")
}

// sha256Blocks hashes whole blocks of bytes.
func (a *asm) sha256Blocks() {
	a.text("func blocks(state *[8]uint32, p *byte, n int)", "blocks", 3)
	a.op("I64Load n+16(FP)", "I64Const $0", "I64LeS", "If", "RET", "End", "Loop")
	w := words(8)
	for i := range w {
		// The bytes of the word, turned around: wasm has no instruction for it.
		a.pointer("p+8")
		a.opf("I32Load $%d", 4*i)
		a.op("I64ExtendI32U", "Set R0")
		a.get("R0")
		a.rotate(8)
		a.constant(0x00ff00ff)
		a.op("I32And")
		a.get("R0")
		a.rotate(24)
		a.constant(0xff00ff00)
		a.op("I32And", "I32Or")
		a.set(w[i])
	}
	for i := range 8 {
		a.pointer("state+0")
		a.opf("I64Load32U $%d", 4*i)
		a.opf("Set R%d", i)
	}
	a.sha256Rounds(w, map[int]uint32{})
	for i := range 8 {
		a.pointer("state+0")
		a.get(fmt.Sprintf("R%d", i))
		a.pointer("state+0")
		a.opf("I32Load $%d", 4*i)
		a.op("I32Add")
		a.opf("I32Store $%d", 4*i)
	}
	a.advance("p+8", 64)
	a.whilePositive("n+16")
	a.op("RET")
}

// quarters is the order in which BLAKE2b and Salsa20's transposed form mix
// four of sixteen words: columns, then diagonals.
var quarters = [8][4]int{
	{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
	{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14},
}

// blamka is argon2's mixing (RFC 9106, 3.6) of 16 words in R0 to R15.
func (a *asm) blamka() {
	// mix is x += y + 2*lo(x)*lo(y), then z = (z^x) rotated.
	mix := func(x, y, z, right int) {
		a.opf("Get R%d", x)
		a.opf("Get R%d", y)
		a.op("I64Add")
		a.opf("Get R%d", x)
		a.op("I64Const $0xffffffff", "I64And")
		a.opf("Get R%d", y)
		a.op("I64Const $0xffffffff", "I64And", "I64Mul", "I64Const $1", "I64Shl", "I64Add")
		a.opf("Set R%d", x)
		a.opf("Get R%d", z)
		a.opf("Get R%d", x)
		a.op("I64Xor")
		a.opf("I64Const $%d", 64-right)
		a.op("I64Rotl")
		a.opf("Set R%d", z)
	}
	for _, q := range quarters {
		mix(q[0], q[1], q[3], 32)
		mix(q[2], q[3], q[1], 24)
		mix(q[0], q[1], q[3], 16)
		mix(q[2], q[3], q[1], 63)
	}
}

// argon2 is argon2's compression in two loops, over rows and over columns. t
// is what lies between, and left counts. The addresses of x, y, t and out move
// with the loops.
func (a *asm) argon2() {
	a.text("func argon2Mix(out, x, y, t *argon2Block, keep uint64, left int)", "argon2Mix", 6)
	a.op("Get SP", "I64Const $8", "I64Store left+40(FP)", "Loop")
	for i := range 16 {
		a.pointer("x+8")
		a.opf("I64Load $%d", 8*i)
		a.pointer("y+16")
		a.opf("I64Load $%d", 8*i)
		a.op("I64Xor")
		a.opf("Set R%d", i)
	}
	a.blamka()
	for i := range 16 {
		a.pointer("t+24")
		a.opf("Get R%d", i)
		a.opf("I64Store $%d", 8*i)
	}
	for _, p := range []string{"x+8", "y+16", "t+24"} {
		a.advance(p, 128)
	}
	a.whilePositive("left+40")
	for _, p := range []string{"x+8", "y+16", "t+24"} {
		a.advance(p, -1024)
	}
	a.op("Get SP", "I64Const $8", "I64Store left+40(FP)", "Loop")
	at := func(i int) int { return 128*(i/2) + 8*(i%2) }
	for i := range 16 {
		a.pointer("t+24")
		a.opf("I64Load $%d", at(i))
		a.opf("Set R%d", i)
	}
	a.blamka()
	for i := range 16 {
		a.pointer("out+0")
		a.opf("Get R%d", i)
		a.pointer("x+8")
		a.opf("I64Load $%d", at(i))
		a.op("I64Xor")
		a.pointer("y+16")
		a.opf("I64Load $%d", at(i))
		a.op("I64Xor")
		a.pointer("out+0")
		a.opf("I64Load $%d", at(i))
		a.op("I64Load keep+32(FP)", "I64And", "I64Xor")
		a.opf("I64Store $%d", at(i))
	}
	for _, p := range []string{"out+0", "x+8", "y+16", "t+24"} {
		a.advance(p, 16)
	}
	a.whilePositive("left+40")
	a.op("RET")
}

// salsa runs Salsa20/8's four double rounds on the words in R0 to R15.
func (a *asm) salsa() {
	// mix is x ^= (y+z) rotated.
	mix := func(x, y, z, left int) {
		a.opf("Get R%d", x)
		a.opf("Get R%d", y)
		a.opf("Get R%d", z)
		a.op("I64Add", "I32WrapI64")
		a.rotate(left)
		a.op("I64ExtendI32U", "I64Xor")
		a.opf("Set R%d", x)
	}
	for range 4 {
		for _, q := range [8][4]int{
			{0, 4, 8, 12}, {5, 9, 13, 1}, {10, 14, 2, 6}, {15, 3, 7, 11},
			{0, 1, 2, 3}, {5, 6, 7, 4}, {10, 11, 8, 9}, {15, 12, 13, 14},
		} {
			mix(q[1], q[0], q[3], 7)
			mix(q[2], q[1], q[0], 9)
			mix(q[3], q[2], q[1], 13)
			mix(q[0], q[3], q[2], 18)
		}
	}
}

// scrypt is a part of scryptBlockMix: pairs of blocks, the first of each
// to even, the second to odd. last is the block before them.
func (a *asm) scrypt() {
	a.text("func scryptMix(even, odd, last, in, with *uint32, pairs int)", "scryptMix", 6)
	a.op("I64Load pairs+40(FP)", "I64Const $0", "I64LeS", "If", "RET", "End", "Loop")
	half := func(out, last string, in int) {
		// out = last ^ in ^ with, and in the registers.
		for i := range 8 {
			a.pointer(out)
			a.pointer(last)
			a.opf("I64Load $%d", 8*i)
			a.pointer("in+24")
			a.opf("I64Load $%d", in+8*i)
			a.op("I64Xor")
			a.pointer("with+32")
			a.opf("I64Load $%d", in+8*i)
			a.op("I64Xor")
			a.opf("Set R%d", 2*i+1)
			a.opf("Get R%d", 2*i+1)
			a.opf("I64Store $%d", 8*i)
			a.opf("Get R%d", 2*i+1)
			a.op("I32WrapI64", "I64ExtendI32U")
			a.opf("Set R%d", 2*i)
			a.opf("Get R%d", 2*i+1)
			a.op("I64Const $32", "I64ShrU")
			a.opf("Set R%d", 2*i+1)
		}
		a.salsa()
		for i := range 16 {
			a.pointer(out)
			a.pointer(out)
			a.opf("I32Load $%d", 4*i)
			a.get(fmt.Sprintf("R%d", i))
			a.op("I32Add")
			a.opf("I32Store $%d", 4*i)
		}
	}
	half("even+0", "last+16", 0)
	half("odd+8", "even+0", 64)
	a.op("Get SP", "I64Load odd+8(FP)", "I64Store last+16(FP)")
	a.advance("even+0", 64)
	a.advance("odd+8", 64)
	a.advance("in+24", 128)
	a.advance("with+32", 128)
	a.whilePositive("pairs+40")
	a.op("RET")
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

func write(path string, functions ...func(*asm)) {
	a := new(asm)
	a.WriteString("// Code generated by kernels_wasm_gen.go in djuser/password; DO NOT EDIT.\n\n#include \"textflag.h\"\n")
	for _, f := range functions {
		f(a)
	}
	if err := os.WriteFile(path, a.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

func main() {
	write("kernels_wasm.s",
		func(a *asm) {
			a.text("func iterateSHA256(s *sha256State, n int)", "iterateSHA256", 2)
			a.iterate(8, a.sha256Rounds)
		},
		func(a *asm) {
			a.text("func iterateSHA1(s *sha1State, n int)", "iterateSHA1", 2)
			a.iterate(5, a.sha1Rounds)
		},
		(*asm).argon2, (*asm).scrypt)
	write("../../djsession/sha2/block_wasm.s", (*asm).sha256Blocks)
}
