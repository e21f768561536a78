//go:build wasip1 && chaos

package main

// The kinds of djedge_chaos.
const (
	chaosPanic    = iota + 1 // a panic that nothing recovers: the module traps
	chaosSpin                // never returns
	chaosMemory              // allocates until the memory limit: the module traps
	chaosStack               // recurses without end: the module traps
	chaosScribble            // loses the state that the next call needs, and returns
)

var hoard [][]byte

// chaos breaks this instance, so that a host's tests can show that it
// recovers. It exists only in modules built with the tag chaos.
//
//go:wasmexport djedge_chaos
func chaos(kind uint32) {
	switch kind {
	case chaosPanic:
		panic("chaos")
	case chaosSpin:
		for n := uint32(0); ; n++ {
			input[n%uint32(len(input))]++
		}
	case chaosMemory:
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			hoard = append(hoard, b)
		}
	case chaosStack:
		deep(0)
	case chaosScribble:
		machine, out = nil, nil
	}
}

//go:noinline
func deep(n int) int { return deep(n+1) + n }
