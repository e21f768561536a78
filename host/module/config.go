package module

import (
	"log/slog"
	"time"

	"github.com/djedge/djedge/host"
)

// Config of the engine. The zero value runs the embedded module.
type Config struct {
	// WASM is the module; nil is the one in build/modules.
	WASM []byte
	// Digest is the expected SHA-256 of WASM in hexadecimal; a module with
	// another digest is refused. "" compares only the embedded module, with
	// the digest beside it.
	Digest string
	// CacheDir keeps compiled code between runs (a start takes about 60 ms
	// instead of a second); "" keeps it in memory. Whoever may write there
	// may run code here: make it private to the program.
	CacheDir string

	// Instances is how many instances a lane may have: the lane of reads,
	// whose instances carry many requests each, and the lane of writing
	// operations, one request each. They are made when they are needed.
	// 0 is one per processor.
	Instances int
	// HashInstances is the same for the operations that take a password,
	// which may hash inside the module: the bound on hashing at once. 0 is Instances.
	HashInstances int
	// InFlight is how many requests one reading instance carries. 0 is 200.
	InFlight int
	// QueueTimeout is how long a request waits for a place before it is
	// answered "busy". 0 is 1 s.
	QueueTimeout time.Duration
	// Timeout is how long one call into the module may run. Waiting for the
	// database is not part of it. An instance that takes longer is ended.
	// 0 is 5 s.
	Timeout time.Duration

	// MemoryMiB limits the memory of one instance. 0 is 64 for reads and
	// writes, and 384 where passwords are hashed (argon2 and scrypt may take 256).
	MemoryMiB, HashMemoryMiB int
	// An instance is replaced after MaxRequests requests, MaxAge, or when its
	// memory, which never shrinks, has grown beyond MaxMemoryMiB: 0 is
	// 1,000,000, one hour and 32.
	MaxRequests  int
	MaxAge       time.Duration
	MaxMemoryMiB int

	// Logger gets the digest at the start, the loss of an instance and what a
	// module prints; nil is silent.
	Logger *slog.Logger
}

// New makes the engine. Nothing is loaded before [host.Engine]'s Configure,
// which is also where a wrong module or a wrong Config is refused.
func New(config Config) host.Engine { return &engine{config: config} }
