package password

import (
	"context"
	"errors"
	"sync"
	"weak"
)

// Bounds of what [Derive] can be asked for at all. They keep a mistaken caller
// from a panic or an endless run; the limits of a site are [Limits].
const (
	maxKeyLen     = 1 << 10
	maxBcryptCost = 31
	maxLanes      = 1<<24 - 1
)

// An Arena keeps the memory of one run of argon2 or scrypt for the next, as long as the
// garbage collector has not taken it: in WebAssembly, where memory never
// shrinks, two runs then need no more than one. The zero value is ready and it
// is safe for concurrent use; runs at the same time each have their own memory.
type Arena struct {
	mu   sync.Mutex
	idle weak.Pointer[[]argon2Block]
}

// take returns n blocks of unknown content.
func (a *Arena) take(n int) []argon2Block {
	a.mu.Lock()
	idle := a.idle.Value()
	a.idle = weak.Pointer[[]argon2Block]{}
	a.mu.Unlock()
	if idle != nil && cap(*idle) >= n {
		return (*idle)[:n]
	}
	return make([]argon2Block, n)
}

func (a *Arena) put(blocks []argon2Block) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.idle = weak.Make(&blocks)
}

// Derive is [Derive] in this arena.
func (a *Arena) Derive(ctx context.Context, yield func(context.Context) error, p Params, password, salt []byte) ([]byte, error) {
	pause := func() error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if yield == nil {
			return nil
		}
		return yield(ctx)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	switch p.Function {
	case PBKDF2SHA256, PBKDF2SHA1:
		return pbkdf2(pause, p, password, salt)
	case Argon2d, Argon2i, Argon2id:
		memory := a.take(p.argon2Blocks())
		defer a.put(memory)
		return argon2(pause, memory, p, argon2Input{password: password, salt: salt})
	case Bcrypt:
		return bcrypt(pause, p, password, salt)
	default: // Scrypt: p.check knows no other.
		memory := a.take(p.scryptBlocks())
		defer a.put(memory)
		return scryptKey(pause, memory, p, password, salt)
	}
}

// Derive runs one derivation in place. It calls yield between slices of about
// 1 ms (5 ms in WebAssembly), and stops with its error or with the cause of
// ctx. A nil yield only watches ctx.
//
// The salt of Bcrypt is its 16 bytes, not their text, and its key has 23 bytes.
// Derive checks that the parameters are possible, not that they are affordable:
// that is for [Limits], and for a host's semaphore over [Params.MemoryBytes].
func Derive(ctx context.Context, yield func(context.Context) error, p Params, password, salt []byte) ([]byte, error) {
	return new(Arena).Derive(ctx, yield, p, password, salt)
}

// MemoryBytes is the working memory of the derivation in bytes, for a host's
// semaphore.
func (p Params) MemoryBytes() int64 {
	switch p.Function {
	case Argon2d, Argon2i, Argon2id:
		return int64(p.Memory) << 10
	case Scrypt:
		return scryptBytes(uint64(p.N), uint64(p.R), uint64(p.Parallelism))
	case Bcrypt:
		return 8 << 10
	default:
		return 1 << 10
	}
}

var errParams = errors.New("impossible key derivation parameters")

// check refuses parameters that no implementation could run.
func (p Params) check() error {
	possible := p.KeyLen >= 1 && p.KeyLen <= maxKeyLen
	switch p.Function {
	case PBKDF2SHA256, PBKDF2SHA1:
		possible = possible && p.Iterations >= 1
	case Argon2d, Argon2i, Argon2id:
		possible = possible && p.KeyLen >= 4 && p.Iterations >= 1 &&
			p.Parallelism >= 1 && p.Parallelism <= maxLanes && uint64(p.Memory) >= 8*uint64(p.Parallelism) &&
			(p.Version == 0x10 || p.Version == 0x13)
	case Bcrypt:
		possible = possible && p.KeyLen == bcryptKeyLen && p.Iterations >= 4 && p.Iterations <= maxBcryptCost
	case Scrypt:
		possible = possible && p.N >= 2 && p.N&(p.N-1) == 0 && p.R >= 1 && p.Parallelism >= 1 &&
			uint64(p.R)*uint64(p.Parallelism) < 1<<30
	default:
		possible = false
	}
	if !possible {
		return errParams
	}
	return nil
}
