package module

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/step"
)

// Config of the engine. The zero value runs the embedded module.
type Config struct {
	// WASM is the module; nil is the one in build/modules.
	WASM []byte
	// Digest is the expected SHA-256 of WASM in hexadecimal; a module with
	// another digest is refused. "" is not compared, except that the embedded
	// module is always compared with the digest beside it.
	Digest string
	// CacheDir keeps compiled code between runs (a start then takes about
	// 60 ms instead of a second); "" compiles at every start. Whoever may
	// write there may run code here: make it private to the program.
	CacheDir string

	// Instances is how many instances each lane may have: that of reads,
	// whose instances carry many requests each, and that of writing
	// operations, one request each. They are made when they are needed.
	// 0 is one per processor.
	Instances int
	// HashInstances is the same for the operations that take a password and
	// may hash it inside the module: the bound on hashing at once. 0 is Instances.
	HashInstances int
	// InFlight is how many requests one reading instance carries at a time.
	// 0 is 200.
	InFlight int
	// QueueTimeout is how long a request waits for a place, and again for each
	// of its turns in a shared instance, before it is answered "busy". 0 is
	// one second, and for HashQueueTimeout, where a password is taken, 5 s.
	QueueTimeout, HashQueueTimeout time.Duration
	// HostHashes says that the host derives keys ([host.KDFHost]), in a queue
	// that it bounds by itself. Operations with a password then mostly wait in
	// that queue, and share instances as reads do (Instances, InFlight).
	// Where the host declines nevertheless, one begins again under
	// HashInstances.
	HostHashes bool

	// Timeout is the watchdog: what one call into the module may compute before
	// its instance is ended, at a nanosecond for each iteration of a loop, and for
	// every 32 instructions in those of the hashing kernels. Tight loops take 0.7
	// ns on a server of 2024 and others several, so that it is nearer to a count
	// than to a time: a program cannot interrupt code that wazero has compiled,
	// and the module counts by itself. Waiting for the database is not part of it,
	// and no client can end a call. 0 is 200 ms, and for HashTimeout, where
	// passwords are hashed, 20 s.
	Timeout, HashTimeout time.Duration

	// MemoryMiB limits the memory of an instance; beyond it the instance is
	// ended. 0 is 64, and for HashMemoryMiB, where passwords are hashed, 384:
	// argon2 and scrypt may take 256 by default.
	MemoryMiB, HashMemoryMiB int
	// An instance is replaced after MaxRequests requests, after MaxAge, or when
	// its memory, which never shrinks, has grown beyond MaxMemoryMiB. 0 is a
	// million, one hour and 32.
	MaxRequests  int
	MaxAge       time.Duration
	MaxMemoryMiB int

	// Logger gets the digest at the start, the loss of an instance, and what
	// the module prints; nil is silent.
	Logger *slog.Logger
}

// New makes an engine. Nothing is loaded before its Configure, which is also
// where a wrong module or a wrong Config is refused.
func New(config Config) host.Engine { return &engine{config: config} }

// filled is c with its defaults. The error names the field.
func (c Config) filled() (Config, error) {
	defaultTo(&c.Instances, runtime.GOMAXPROCS(0))
	defaultTo(&c.HashInstances, c.Instances)
	defaultTo(&c.InFlight, 200)
	defaultTo(&c.QueueTimeout, time.Second)
	defaultTo(&c.HashQueueTimeout, 5*time.Second)
	defaultTo(&c.Timeout, 200*time.Millisecond)
	defaultTo(&c.HashTimeout, 20*time.Second)
	defaultTo(&c.MemoryMiB, 64)
	defaultTo(&c.HashMemoryMiB, 384)
	defaultTo(&c.MaxRequests, 1_000_000)
	defaultTo(&c.MaxAge, time.Hour)
	defaultTo(&c.MaxMemoryMiB, 32)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	for _, field := range []struct {
		name       string
		value, max int64
	}{
		{"Instances", int64(c.Instances), 1 << 10},
		{"HashInstances", int64(c.HashInstances), 1 << 10},
		{"InFlight", int64(c.InFlight), step.MaxParked},
		{"QueueTimeout", int64(c.QueueTimeout), int64(time.Hour)},
		{"HashQueueTimeout", int64(c.HashQueueTimeout), int64(time.Hour)},
		{"Timeout", int64(c.Timeout), 1 << 62},
		{"HashTimeout", int64(c.HashTimeout), 1 << 62},
		{"MemoryMiB", int64(c.MemoryMiB), 4096},
		{"HashMemoryMiB", int64(c.HashMemoryMiB), 4096},
		{"MaxRequests", int64(c.MaxRequests), 1 << 62},
		{"MaxAge", int64(c.MaxAge), 1 << 62},
		{"MaxMemoryMiB", int64(c.MaxMemoryMiB), 4096},
	} {
		if field.value < 1 || field.value > field.max {
			return c, fmt.Errorf("module.Config.%s is %d, outside 1 to %d", field.name, field.value, field.max)
		}
	}
	return c, nil
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
